#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-only
# Prints which mistakes were noticed: score.pl DIR EXPLAINED. DIR has switch.pl's
# list, the numbers that were chosen, those that the suites reach, and results.

use strict;
use warnings;

sub lines
{
	open my $in, '<', shift or die "$!\n";
	chomp(my @lines = <$in>);
	return @lines;
}

my ($dir, $explained) = @ARGV;
my %chosen = map { $_ => 1 } lines("$dir/chosen");
my %reached = map { $_ => 1 } lines("$dir/reached");
my (%noticed, %files, @left, @why, %used);

for (lines("$dir/results")) {
	my ($k, $what) = split /\t/;
	$noticed{$k} = 1 if defined $what && $what ne '';
}

# FUNCTION | TEXT | WHY: "*" is any function, "..." in the text anything.
for (lines($explained)) {
	next if /^(?:#|$)/;
	my ($function, $text, $why) = split / \| /, $_, 3;
	die "$explained: no reason: $_\n" if !$why;
	my $pattern = join '.*', map { quotemeta } split /\Q...\E/, $text, -1;
	push @why, { function => $function, pattern => qr/^$pattern$/,
		text => $text, why => $why };
}

for (lines("$dir/list")) {
	my ($k, $file, $line, undef, $function, $was, $is) = split /\t/;
	next if !$chosen{$k};

	$files{$file}{total}++;
	if ($noticed{$k}) {
		$files{$file}{noticed}++;
		next;
	}
	my ($why) = grep { $_->{function} =~ /^(?:\*|$function)$/ &&
		"$was => $is" =~ $_->{pattern} } @why;
	$files{$file}{explained}++ if $why;
	push @left, { file => $file, at => "$file:$line: $function()",
		what => "$was => $is", why => $why && $why->{why},
		how => $reached{$k} ? '' : ' (never reached)' };
}

my %sum;
for (sort keys %files) {
	my $f = $files{$_};

	$f->{$_} //= 0 for qw(noticed total explained);
	$sum{$_} += $f->{$_} for keys %$f;
	printf "%-40s %4d of %4d noticed, %d explained\n", $_,
		@$f{qw(noticed total explained)};
}
print "\nnot noticed, and it makes no difference:\n",
	map { "$_->{at}\n\t$_->{what}\n\t$_->{why}\n" } grep { $_->{why} } @left;
print "\nnot noticed:\n",
	map { "$_->{at}$_->{how}\n\t$_->{what}\n" } grep { !$_->{why} } @left;
my $counted = $sum{total} - $sum{explained};
printf "\n%d of %d noticed (%.1f %%), %d explained\n", $sum{noticed}, $counted,
	$counted ? 100 * $sum{noticed} / $counted : 100, $sum{explained};
