// SPDX-License-Identifier: GPL-2.0-only
/*
 * Explores the coherency engine: all that can happen to a buffer, in any order,
 * with any few of those who may use one:
 *
 *	prove			all choices of as many as it was built for
 *	prove --first		of fewer and more, until something is wrong
 *	prove --only A,B,...	these
 *
 * Breadth first, so that what it finds wrong is shown by the shortest sequence
 * of events that leads there. It ends when no new state is found (closure), so
 * it says something about sequences of any length.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "world.h"

/* States, how each was reached first, and where it is found by its hash. */
struct way {
	unsigned int parent;
	struct event by;
};

static struct state *states;
static struct way *ways;
static unsigned int *table, nr_states, max_states;
static unsigned long table_size;

static unsigned long hash(const struct state *s)
{
	unsigned long h = 0, word;
	unsigned int i;

	for (i = 0; i < sizeof(*s) / 8; i++) {
		memcpy(&word, s->byte + 8 * i, 8);
		h = (h ^ word) * 0x9e3779b97f4a7c15UL;
		h ^= h >> 29;
	}
	return h;
}

/* Where a state is in the table, or could be put. */
static unsigned int *find(const struct state *s)
{
	unsigned long h = hash(s);
	unsigned int *at;

	for (;; h++) {
		at = &table[h & (table_size - 1)];
		if (!*at || !memcmp(&states[*at - 1], s, sizeof(*s)))
			return at;
	}
}

static void *more(void *old, size_t used, size_t wanted)
{
	void *room = aligned_alloc(64, wanted);

	if (!room) {
		fprintf(stderr, "prove: out of memory at %u states\n",
			nr_states);
		exit(2);
	}
	memcpy(room, old, used);
	free(old);
	return room;
}

/* Room for as many states, or twice as many as there are. */
static void grow(unsigned int wanted)
{
	unsigned int i;

	if (wanted > max_states) {
		states = more(states, nr_states * sizeof(*states),
			      wanted * sizeof(*states));
		ways = more(ways, nr_states * sizeof(*ways),
			    (wanted * sizeof(*ways) + 63) & ~63UL);
		table = more(table, 0, 4UL * wanted * sizeof(*table));
		max_states = wanted;
	}
	table_size = 4UL * wanted;
	memset(table, 0, table_size * sizeof(*table));
	for (i = 0; i < nr_states; i++)
		*find(&states[i]) = i + 1;
}

static void add(unsigned int parent, const struct event *by)
{
	struct state state;
	unsigned int *at;

	world_save(&state);
	/* Much changes nothing. */
	if (nr_states && !memcmp(&states[parent], &state, sizeof(state)))
		return;
	at = find(&state);
	if (*at)
		return;
	states[nr_states] = state;
	ways[nr_states] = (struct way){ parent, *by };
	*at = ++nr_states;
	if (4UL * nr_states == table_size)
		grow(2 * nr_states);
}

static void print_event(const struct config *config, const struct event *e)
{
	char text[80];
	int n = snprintf(text, sizeof(text), "%s", op_names[e->op]);

	if (e->op >= WRITE)
		n += snprintf(text + n, sizeof(text) - n, " chunk %u", e->chunk);
	if (e->when)
		snprintf(text + n, sizeof(text) - n, "; step %u: %u %s (%u)",
			 e->when, e->who, op_names[e->what], e->where);
	printf("  | %u %-15s | %-48s |", e->agent,
	       kind_names[config->kind[e->agent]], text);
}

/* The way to a state as a table, and after it the event that goes wrong. */
static void print_way(const struct config *config, unsigned int node,
		      const struct event *last)
{
	unsigned int way[256], n = 0;

	for (; node; node = ways[node].parent)
		way[n++] = node;
	printf("  | who               | does                                 | newest bytes in [as the engine says]\n");
	while (n--) {
		print_event(config, &ways[way[n]].by);
		world_load(&states[way[n]]);
		world_print();
		printf("\n");
	}
	print_event(config, last);
	world_print();
	printf(" <- %s\n", world_wrong());
}

/* One event from one state; the number of times the lock was dropped. */
static int try(const struct config *config, unsigned int node,
	       const struct event *event)
{
	unsigned int unlocks;

	world_load(&states[node]);
	unlocks = world_do(event);
	if (world_wrong()) {
		char why[80];

		snprintf(why, sizeof(why), "%s", world_wrong());
		printf("WRONG: %s\n", why);
		print_way(config, node, event);
		return -1;
	}
	if (unlocks || !event->when)
		add(node, event);
	return unlocks;
}

/* An event with another one in the middle of it, at each moment. */
static int try_within(const struct config *config, unsigned int node,
		      struct event event, unsigned int unlocks)
{
	for (event.when = 1; event.when <= unlocks; event.when++)
		if (try(config, node, &event) < 0)
			return -1;
	return 0;
}

/*
 * The event, undisturbed and with a frame that is done at each moment of it; or,
 * if it is the end of a frame, with any other one.
 */
static int try_all(const struct config *config, unsigned int node,
		   struct event event)
{
	int unlocks = try(config, node, &event);
	struct event events[MAX_EVENTS];
	unsigned int n;

	if (unlocks < 0)
		return -1;
	world_load(&states[node]);
	for (n = world_meanwhile(&event, events); n--; ) {
		event.who = events[n].agent;
		event.what = events[n].op;
		event.where = events[n].chunk;
		if (try_within(config, node, event, unlocks) < 0)
			return -1;
	}
	return 0;
}

/* All that can happen with these agents; false if something goes wrong. */
static bool explore(const struct config *config)
{
	struct event none = { 0 }, events[MAX_EVENTS];
	unsigned int node;

	nr_states = 0;
	grow(1 << 12);
	world_begin(config);
	add(0, &none);
	for (node = 0; node < nr_states; node++) {
		unsigned int n;

		world_load(&states[node]);
		for (n = world_next(events); n--; )
			if (try_all(config, node, events[n]) < 0)
				return false;
	}
	return true;
}

static void print_config(const struct config *config)
{
	unsigned int i;

	for (i = 0; i < config->n; i++)
		printf("%s%s", i ? "," : "", kind_names[config->kind[i]]);
	printf(config->hurried ? " (hurried)" : "");
}

/* Sums of what one process has explored. */
struct totals {
	unsigned long configs, states, largest;
	unsigned int wrong;
};

static struct totals totals;
static unsigned int share, shares = 1;
static bool first;

static void one(const struct config *config)
{
	static unsigned int serial;

	if (serial++ % shares != share || (first && totals.wrong))
		return;
	totals.configs++;
	if (!explore(config)) {
		totals.wrong++;
		printf("with ");
		print_config(config);
		printf("\n");
		fflush(stdout);
	}
	totals.states += nr_states;
	if (nr_states > totals.largest)
		totals.largest = nr_states;
}

/* Agents of these kinds that say nothing new: more than two of a kind. */
static bool useful(const struct config *config)
{
	unsigned int i, same = 0, vmaps = 0, queues = 0;

	for (i = 0; i < config->n; i++) {
		same = i && config->kind[i] == config->kind[i - 1] ? same + 1 : 0;
		queues += config->kind[i] <= QUEUE_BOUNCED ||
			  config->kind[i] == FRAMES;
		vmaps += config->kind[i] == VMAP;
		if (same > 1)
			return false;
	}
	return vmaps < 2 && (queues || !config->hurried);
}

/* All choices of @n agents, in order; more from kind @from on. */
static void choose(struct config *config, unsigned int n, unsigned int from)
{
	unsigned int k;

	if (config->n == n) {
		if (useful(config))
			one(config);
		return;
	}
	for (k = from; k < KINDS; k++) {
		config->kind[config->n++] = k;
		choose(config, n, k);
		config->n--;
	}
}

static bool parse(struct config *config, char *list)
{
	char *name;
	unsigned int k;

	for (name = strtok(list, ","); name; name = strtok(NULL, ",")) {
		if (!strcmp(name, "hurried")) {
			config->hurried = true;
			continue;
		}
		for (k = 0; k < KINDS && strcmp(name, kind_names[k]); k++)
			;
		if (k == KINDS || config->n == AGENTS)
			return false;
		config->kind[config->n++] = k;
	}
	return config->n;
}

static void choose_all(unsigned int agents)
{
	struct config config = { 0 };

	choose(&config, agents, 0);
	config.hurried = true;
	choose(&config, agents, 0);
}

static void explore_share(unsigned int agents, int to)
{
	choose_all(agents);
	if (write(to, &totals, sizeof(totals)) != sizeof(totals))
		exit(2);
	exit(0);
}

/* In as many processes as there are processors. */
static void explore_all(unsigned int agents)
{
	struct totals part;
	int fds[2];

	shares = sysconf(_SC_NPROCESSORS_ONLN);
	if (pipe(fds))
		exit(2);
	fflush(stdout);
	for (share = 0; share < shares; share++)
		if (!fork())
			explore_share(agents, fds[1]);
	close(fds[1]);
	while (read(fds[0], &part, sizeof(part)) == sizeof(part)) {
		totals.configs += part.configs;
		totals.states += part.states;
		totals.wrong += part.wrong;
		if (part.largest > totals.largest)
			totals.largest = part.largest;
		share--;
	}
	while (wait(NULL) > 0)
		;
	if (share) {
		fprintf(stderr, "prove: a part of it died\n");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	unsigned int agents;
	struct config config = { 0 };
	time_t begin = time(NULL);

	if (argc == 3 && !strcmp(argv[1], "--only") && parse(&config, argv[2])) {
		one(&config);
	} else if (argc == 2 && !strcmp(argv[1], "--first")) {
		first = true;
		for (agents = 1; agents <= AGENTS && !totals.wrong; agents++)
			choose_all(agents);
	} else if (argc == 1) {
		explore_all(AGENTS);
	} else {
		fprintf(stderr, "usage: prove [--first | --only KIND,KIND,...]\n");
		return 2;
	}
	printf("%lu configurations, %lu states (the largest has %lu), %u wrong, %ld s\n",
	       totals.configs, totals.states, totals.largest, totals.wrong,
	       (long)(time(NULL) - begin));
	return !!totals.wrong;
}
