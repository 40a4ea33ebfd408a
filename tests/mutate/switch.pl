#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-only
# Puts mistakes into C sources, each behind a switch: of vdb_mutant(1), (2), ...
# one at most is true at run time.
#
#   switch.pl [--broken FILE] SOURCE... > LIST
#
# The sources are changed in place and keep their line numbers. LIST has for each
# mistake: number, file, line, last line, function, what was there, what the
# mistake makes of it; separated by tabs. Mistakes on lines that FILE names
# ("file:line") are left out: they did not compile.
#
# This knows kernel style, not C: function bodies lie between a "{" and a "}" in
# the first column, and what preprocessor lines say stays as it is.

use strict;
use warnings;

# Calls that may go wrong, or not be there, without any difference, and
# everything between their brackets.
my $quiet = qr/^(?:trace_\w+|lockdep_\w+|might_\w+|cond_resched|pr_\w+
	|dev_(?:err|warn|notice|info|dbg)\w*|mutex_destroy|va_(?:start|end)
	|sizeof|typeof|offsetof|struct_size|IS_ENABLED|READ_ONCE)$/x;
# Calls whose arguments are no ranges.
my $no_range = qr/^(?:min|max)\w*$|^(?:list|mutex|spin|atomic)\w*_|^[A-Z_]+$/;
my $begins = qr/^(?:first|from|start|b|at|i|offset|chunk|addr)$/;
my $ends = qr/^(?:last|to|end|e|n|len|length|size|count|order|nents
	|left|most|nr_\w+|num_\w+)$/x;
my %other = (
	'DMA_TO_DEVICE' => 'DMA_FROM_DEVICE',
	'DMA_FROM_DEVICE' => 'DMA_TO_DEVICE',
	'DMA_BIDIRECTIONAL' => 'DMA_TO_DEVICE',
	'true' => 'false', 'false' => 'true',
);
# Calls that are taken for another one, both ways.
my @twins = ([ qr/^(dma_sync\w*)_for_cpu$/, '$1_for_device' ],
	[ qr/^(dma_sync\w*)_for_device$/, '$1_for_cpu' ],
	[ qr/^bitmap_set$/, 'bitmap_clear' ], [ qr/^bitmap_clear$/, 'bitmap_set' ],
	[ qr/^(?:__)?set_bit$/, '__clear_bit' ],
	[ qr/^(?:__)?clear_bit$/, '__set_bit' ],
	[ qr/^list_add$/, 'list_add_tail' ], [ qr/^list_add_tail$/, 'list_add' ],
	[ qr/^min$/, 'max' ], [ qr/^max$/, 'min' ]);
my %compare = ('<' => '<=', '<=' => '<', '>' => '>=', '>=' => '>',
	'==' => '!=', '!=' => '==', '+' => '-', '-' => '+', '<<' => '>>',
	'>>' => '<<');
my %prec = ('||' => 4, '&&' => 5, '|' => 6, '^' => 7, '&' => 8,
	'==' => 9, '!=' => 9, '<' => 10, '>' => 10, '<=' => 10, '>=' => 10,
	'<<' => 11, '>>' => 11, '+' => 12, '-' => 12,
	'*' => 13, '/' => 13, '%' => 13);
my $assign = qr/^(?:[-+*\/%&|^]|<<|>>)?=$/;

# What the switches are; lines count from behind it.
my $prelude = 'extern unsigned int vdb_mutant_now; ' .
	'extern void vdb_mutant_reached(unsigned int k); ' .
	'static inline _Bool vdb_mutant(unsigned int k) { ' .
	'if (__builtin_expect(!vdb_mutant_now, 0)) vdb_mutant_reached(k); ' .
	"return k == vdb_mutant_now; }\n#line 1\n";

my ($src, $file, $function, $type, @tok, @match, @edits, %broken);
my $number = 0;

# The source with comments, strings and preprocessor lines blanked out.
sub mask
{
	my ($text) = @_;
	my $blank = sub { (my $s = shift) =~ s/[^\n]/ /g; $s };

	$text =~ s{(/\*.*?\*/|//[^\n]*)|("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')}
		{defined $1 ? $blank->($1) : '"' . '_' x (length($2) - 2) . '"'}ges;
	$text =~ s/^([ \t]*#(?:[^\n]*\\\n)*[^\n]*)/$blank->($1)/gem;
	return $text;
}

sub tokenize
{
	my ($masked, $from, $to) = @_;
	my @open;

	@tok = @match = ();
	pos($masked) = $from;
	while ($masked =~ /\G\s*(\w+|"_*"|<<=|>>=|\.\.\.|->|\+\+|--|<<|>>|
		[-+*\/%&|^<>=!]=|&&|\|\||.)/gxs && $-[1] < $to) {
		push @tok, { s => $1, a => $-[1], b => $+[1] };
		if ($1 =~ /^[(\[{]$/) {
			push @open, $#tok;
		} elsif ($1 =~ /^[)\]}]$/) {
			my $o = pop @open;
			($match[$o], $match[$#tok]) = ($#tok, $o);
		}
	}
}

sub is { my ($i, $s) = @_; $i >= 0 && $i < @tok && $tok[$i]{s} eq $s }
sub word { my ($i) = @_; $i >= 0 && $i < @tok && $tok[$i]{s} =~ /^[A-Za-z_]/ }

sub text
{
	my ($l, $r) = @_;

	return $l > $r ? '' : substr $src, $tok[$l]{a}, $tok[$r]{b} - $tok[$l]{a};
}

# Another operator where there was one, with the line ends around it.
sub instead
{
	my ($i, $new) = @_;
	my $gap = substr $src, $tok[$i - 1]{b}, $tok[$i + 1]{a} - $tok[$i - 1]{b};

	return "\n" x ($gap =~ tr/\n//) . " $new ";
}

sub flat { my ($s) = @_; $s =~ s{/\*.*?\*/}{}gs; $s =~ s/\s+/ /g; $s }

# Whether a token is an operator between two operands.
sub binary
{
	my ($i) = @_;
	my $before = $tok[$i - 1]{s};

	return 0 if !$prec{$tok[$i]{s}} || $before =~ /^(?:return|case|else)$/;
	return 1 if $before =~ /^\w|^[\]"]/;
	return 0 if $before ne ')';
	my $o = $match[$i - 1];
	# A cast, or a statement behind a condition.
	return 0 if is($i - 2, '*') && $o < $i - 2;
	return 0 if word($o + 1) && !(word($o - 1) && $tok[$o - 1]{s} ne 'return') &&
		$tok[$o + 1]{s} =~ /^(?:struct|enum|unsigned|int|long|bool|u8|u16|
			u32|u64|s64|\w+_t)$/x;
	return !(word($o - 1) && $tok[$o - 1]{s} =~ /^(?:if|while|for|switch)$/);
}

# Where an operand ends, seen from its operator. Equals stop where told.
sub operand
{
	my ($i, $step, $p, $equals) = @_;
	my ($near, $far) = $step > 0 ? ('[(\[{]', '[)\]}]') : ('[)\]}]', '[(\[{]');
	my $at = $i;

	for (my $j = $i + $step; $j >= 0 && $j < @tok; $j += $step) {
		my $s = $tok[$j]{s};

		last if $s =~ /^(?:$far|[;,?:]|return|else|case)$/ || $s =~ $assign;
		last if binary($j) && ($prec{$s} < $p || $equals && $prec{$s} == $p);
		$j = $match[$j] if $s =~ /^$near$/;
		$at = $j;
	}
	return $at;
}

# A mistake in tokens L to R, shown within tokens SL to SR. MAKE gets a function
# that gives the text of tokens, with the mistakes that lie in them.
sub mistake
{
	my ($l, $r, $in, $shown, $make, $op) = @_;
	my $line = 1 + (substr($src, 0, $tok[$l]{a}) =~ tr/\n//);
	my $last = $line + (text($l, $r) =~ tr/\n//);
	my ($from, $to) = ($tok[$in->[0]]{a}, $tok[$in->[1]]{b});

	return if grep { $broken{"$file:$_"} } $line .. $last;
	push @edits, { l => $l, r => $r, make => $make, line => $line, op => $op,
		last => $last, function => $function, was => flat(text(@$in)),
		is => flat(substr($src, $from, $tok[$l]{a} - $from) . $shown .
			substr($src, $tok[$r]{b}, $to - $tok[$r]{b})) };
}

sub condition
{
	my ($l, $r, $in, $loop) = @_;
	my $c = flat(text($l, $r));
	my $inner = sub { '(' . $_[1]->($l, $r) . ')' };

	mistake($l, $r, $in, 'false', sub { "(!$_[0] && " . &$inner . ')' });
	return if $loop;
	mistake($l, $r, $in, 'true', sub { "($_[0] || " . &$inner . ')' });
	mistake($l, $r, $in, "!($c)", sub { '((!' . &$inner . ") == $_[0])" });
}

# The other text instead of tokens L to R.
sub replaced
{
	my ($l, $r, $in, $new) = @_;

	mistake($l, $r, $in, $new,
		sub { "($_[0] ? $new : " . $_[1]->($l, $r) . ')' });
}

sub dropped
{
	my ($l, $r) = @_;

	mistake($l, $r, [ $l, $r ], ';',
		sub { "if ($_[0]) {} else " . $_[1]->($l, $r) });
}

sub operator
{
	my ($i, $in, $whole) = @_;
	my $s = $tok[$i]{s};
	my $l = operand($i, -1, $prec{$s}, 0);
	my $r = operand($i, 1, $prec{$s}, 1);
	my $near = operand($i, -1, $prec{$s}, 1);

	if ($s eq '&&' || $s eq '||') {
		my @all = ([ $i + 1, $r ]);
		my ($word, $how) = $s eq '&&' ? ('true', '%s || (%s)') :
						('false', '!%s && (%s)');

		unshift @all, [ $near, $i - 1 ] if !is($near - 1, $s);
		for my $o (@all) {
			mistake(@$o, $in, $word, sub { '(' . sprintf($how,
				$_[0], $_[1]->(@$o)) . ')' });
		}
	}
	my ($left, $right) = (flat(text($l, $i - 1)), flat(text($i + 1, $r)));
	my $alone = !$whole && $tok[$l - 1]{s} !~ /^(?:&&|\|\|)$/ &&
		!($r + 1 < @tok && $tok[$r + 1]{s} =~ /^(?:&&|\|\|)$/);

	if ($s eq '&&' || $s eq '||') {
		my ($new, $not) = $s eq '&&' ? ('||', '') : ('&&', '!');

		mistake($l, $r, $in, "$left $new $right", sub {
			my ($x, $y) = ($_[1]->($l, $i - 1), $_[1]->($i + 1, $r));

			return "(($x)" . instead($i, '?') . "($not$_[0] || ($y)) : " .
				"($not$_[0] && (" . flat($y) . ')))';
		}, $i);
	} elsif ($s =~ /^[&|]$/ && $alone) {
		replaced($l, $r, $in, $left);
	} elsif ($compare{$s} && ($s !~ /^[!=]=$/ || $alone)) {
		mistake($l, $r, $in, "$left $compare{$s} $right", sub {
			my ($x, $y) = ($_[1]->($l, $i - 1), $_[1]->($i + 1, $r));

			return "($_[0] ? " . flat($x) . " $compare{$s} " . flat($y) .
				" : $x" . instead($i, $s) . "$y)";
		}, $i);
	}
}

# A call: another function, or a range that is off by one.
sub call
{
	my ($i, $in) = @_;
	my ($name, $close) = ($tok[$i]{s}, $match[$i + 1]);
	my $l = $i + 2;

	for my $t (@twins) {
		my ($from, $to) = @$t;
		next if $name !~ $from;
		my $stem = $1 // '';
		(my $new = $to) =~ s/\$1/$stem/;
		replaced($i, $close, $in, $new . flat(text($i + 1, $close)));
		last;
	}
	# A macro that is a loop sets some of what it is given.
	return if $name =~ $no_range || $close + 1 < @tok &&
		$tok[$close + 1]{s} =~ /^(?:[A-Za-z_]\w*|\{)$/ && $in->[0] == $i;
	for (my $j = $l; $j <= $close; $j++) {
		if ($j == $close || is($j, ',')) {
			my $path = join '', map { $tok[$_]{s} } $l .. $j - 1;

			if ($path =~ /^(?:\w+(?:->|\.))*([a-z]\w*)$/) {
				my $by = $1 =~ $begins ? '+' : $1 =~ $ends ? '-' : '';
				my ($a, $b) = ($l, $j - 1);

				mistake($a, $b, $in, "$path $by 1", sub { "(" .
					$_[1]->($a, $b) . " $by $_[0])" }) if $by;
			}
			$l = $j + 1;
		}
		$j = $match[$j] if $j < $close && $tok[$j]{s} =~ /^[(\[{]$/;
	}
}

# All expressions between two tokens. WHOLE: they are a condition.
sub expressions
{
	my ($l, $r, $in, $whole) = @_;

	for (my $i = $l; $i <= $r; $i++) {
		my $s = $tok[$i]{s};

		if (word($i) && is($i + 1, '(') && $s =~ $quiet) {
			$i = $match[$i + 1];
		} elsif (word($i) && is($i + 1, '(')) {
			call($i, $in) if $s ne 'vdb_notice';
			$i = $match[$i + 1] if $s eq 'vdb_notice';
		} elsif ($other{$s}) {
			replaced($i, $i, $in, $other{$s});
		} elsif ($s =~ /^(?:0|[1-9]\d*)(?:U?L*)$/) {
			my $by = $s =~ /^0/ ? '+' : '-';

			mistake($i, $i, $in, "($s $by 1)",
				sub { "($s $by $_[0])" }) if !is($i - 1, 'return');
		} elsif (is($i, '?') && !is($i + 1, ':')) {
			condition(operand($i, -1, 3, 0), $i - 1, $in, 0);
		} elsif ($i > $l && binary($i)) {
			my $all = $whole &&
				operand($i, -1, $prec{$s}, 0) == $l &&
				operand($i, 1, $prec{$s}, 1) == $r;

			operator($i, $in, $all);
		}
	}
}

sub returned
{
	my ($l, $r, $in) = @_;
	my $what = text($l, $r);

	if ($type =~ /\bbool\b/ && $what !~ /^(?:true|false)$/) {
		condition($l, $r, $in, 0);
	} elsif ($type =~ /\bint\b/ && $type !~ /\bunsigned\b/) {
		replaced($l, $r, $in, $what eq '0' ? '-EIO' : '0');
	} elsif ($type =~ /\*/ && $what ne 'NULL') {
		replaced($l, $r, $in, 'NULL');
	}
}

# The end of the statement that begins at a token.
sub statement_end
{
	my ($i) = @_;

	while ($i < $#tok && !is($i, ';')) {
		$i = $match[$i] if $tok[$i]{s} =~ /^[(\[{]$/;
		$i++;
	}
	return $i;
}

sub statement
{
	my ($i) = @_;
	my $end = statement_end($i);
	my $declares = word($i) && (word($i + 1) ||
		is($i + 1, '*') && (word($i + 2) || is($i + 2, '*')));

	return $end if !$declares && is($i + 1, '(') &&
		$tok[$i]{s} =~ /$quiet|^(?:DEFINE|DECLARE)_/;
	dropped($i, $end) if !$declares;
	expressions($i, $end - 1, [ $i, $end - 1 ], 0) if !is($i, 'static');
	return $end;
}

sub body
{
	for (my $i = 1; $i < $#tok; $i++) {
		my $s = $tok[$i]{s};
		my $close = is($i + 1, '(') ? $match[$i + 1] : $i;

		if ($s =~ /^(?:[{};]|else|do)$/) {
			next;
		} elsif ($s =~ /^(?:if|while)$/) {
			condition($i + 2, $close - 1, [ $i, $close ], $s eq 'while');
			expressions($i + 2, $close - 1, [ $i, $close ], 1);
			$i = $close;
		} elsif ($s eq 'for') {
			my $a = statement_end($i + 2);
			my $b = statement_end($a + 1);

			condition($a + 1, $b - 1, [ $i, $close ], 1) if $b > $a + 1;
			expressions($i + 2, $close - 1, [ $i, $close ], 0);
			$i = $close;
		} elsif ($s =~ /^(?:case|default)$/) {
			$i++ while !is($i, ':');
		} elsif ($s =~ /^(?:break|continue)$/) {
			dropped($i, $i + 1);
			$i++;
		} elsif ($s eq 'return') {
			my $end = statement_end($i);

			returned($i + 1, $end - 1, [ $i, $end - 1 ]) if $end > $i + 1;
			expressions($i + 1, $end - 1, [ $i, $end - 1 ], 0);
			$i = $end;
		} elsif ($s =~ /^(?:goto|switch)$/) {
			$i = $s eq 'goto' ? statement_end($i) : $close;
		} elsif (word($i) && is($i + 1, ':')) {
			$i++;
		} elsif ($close > $i && !is($close + 1, ';') &&
			 $tok[$close + 1]{s} =~ /^(?:\w+|\{)$/) {
			expressions($i, $close, [ $i, $close ], 0);
			$i = $close;
		} else {
			$i = statement($i);
		}
	}
}

# The text of tokens L to R with the mistakes that lie in them.
sub emit
{
	my ($l, $r, @in) = @_;
	my ($out, $at) = ('', $tok[$l]{a});

	while (my $e = shift @in) {
		my @inner;

		push @inner, shift @in while @in && $in[0]{l} <= $e->{r};
		$out .= substr $src, $at, $tok[$e->{l}]{a} - $at;
		$out .= $e->{make}->("vdb_mutant($e->{k})", sub {
			my ($a, $b) = @_;

			emit($a, $b, grep { $_->{l} >= $a && $_->{r} <= $b } @inner)
		});
		$at = $tok[$e->{r}]{b};
	}
	return $out . substr $src, $at, $tok[$r]{b} - $at;
}

sub switched
{
	my ($from, $to) = @_;

	@edits = ();
	body();
	# The outer ones first; of equals, those that need the whole of it.
	@edits = sort { $a->{l} <=> $b->{l} || $b->{r} <=> $a->{r} ||
		defined $a->{op} <=> defined $b->{op} } @edits;
	for my $e (@edits) {
		$e->{k} = ++$number;
		print join("\t", $number, $file, @$e{qw(line last function was is)}),
			"\n";
	}
	return emit(0, $#tok, @edits);
}

if (@ARGV > 1 && $ARGV[0] eq '--broken') {
	shift;
	open my $in, '<', shift or die "$!\n";
	%broken = map { chomp; $_ => 1 } <$in>;
}
for my $name (@ARGV) {
	$file = $name;
	open my $in, '<', $file or die "$file: $!\n";
	$src = do { local $/; <$in> };
	my $masked = mask($src);
	my ($out, $at) = ('', 0);

	while ($masked =~ /([^;{}]*)\n(\{\n.*?\n\})/gs) {
		my ($head, $from, $to) = ($1, $-[2], $+[2]);

		next if $head !~ /\b(?!__)(\w+)\s*\(/;
		($function, $type) = ($1, substr $head, 0, $-[1]);
		tokenize($masked, $from, $to);
		$out .= substr($src, $at, $from - $at) . switched();
		$at = $to;
	}
	$out .= substr $src, $at;
	open my $to, '>', $file or die "$file: $!\n";
	print $to $prelude, $out;
}
