#include "alloc/standalone.h"

#include "unit/world/fixture.h"

/*
 * A daemon that is alone, and the files that it is given, one after the other. Each file is
 *   pool NAME [manual] [nobuggy] ELEMENT…
 *   svc NAME [ip=A,B] [pool=P] [key=K] [port=80/tcp]
 *   allocation [sticky] [rest=SECONDS]
 * and then what is done with it:
 *   reload => OUTCOME      as `crier reload`
 *   force => OUTCOME       as `crier reload --force`
 *   restart => OUTCOME     the table is written, and read by another process
 * "at SECONDS" sets the clock.
 * OUTCOME is what each service has, in the order of the file ("web=10.0.0.0 dns=!"), or "refused"
 * and a part of the reason; what is refused leaves the file before it in force.
 */
struct script {
	const char *name;
	const char *text;
};

static const struct script scripts[] = {
	/* Design decision 7.6: what is in use is moved by nobody. */
	{ "the order of the file",
	  "pool p 10.0.0.0/30\nsvc a\nsvc b\nreload => a=10.0.0.0 b=10.0.0.1\n"
	  "pool p 10.0.0.0/30\nsvc n\nsvc b\nsvc a\n"
	  "reload => n=10.0.0.2 b=10.0.0.1 a=10.0.0.0\n" },
	{ "the order of the pools",
	  "pool p 10.0.0.0/30\npool q 10.1.0.0/30\nsvc a\nreload => a=10.0.0.0\n"
	  "pool q 10.1.0.0/30\npool p 10.0.0.0/30\nsvc a\nsvc b\nreload => a=10.0.0.0 "
	  "b=10.1.0.0\n" },
	{ "the order of a pool's elements",
	  "pool p 10.0.0.0/31 10.0.1.0/31\nsvc a\nreload => a=10.0.0.0\n"
	  "pool p 10.0.1.0/31 10.0.0.0/31\nsvc a\nsvc b\nreload => a=10.0.0.0 b=10.0.1.0\n" },
	{ "a restart", "pool p 10.0.0.0/30\nsvc a\nsvc b\nreload => a=10.0.0.0 b=10.0.0.1\n"
		       "pool p 10.0.0.0/30\nsvc b\nreload => b=10.0.0.1\n"
		       "pool p 10.0.0.0/30\nsvc n\nsvc b\nrestart => n=10.0.0.0 b=10.0.0.1\n" },
	{ "a service that is gone keeps its address until the rest is written down",
	  "pool p 10.0.0.0/30\nsvc a\nreload => a=10.0.0.0\n"
	  "pool p 10.0.0.0/30\nsvc b\nreload => b=10.0.0.1\n" },
	{ "a service that is gone makes room in a full pool",
	  "pool p 10.0.0.0/31\nsvc a\nsvc b\nreload => a=10.0.0.0 b=10.0.0.1\n"
	  "pool p 10.0.0.0/31\nsvc n\nsvc b\nreload => n=10.0.0.0 b=10.0.0.1\n" },
	{ "a service that could not be served is, once somebody goes",
	  "pool p 10.0.0.0/32\nsvc a\nsvc b\nreload => a=10.0.0.0 b=!\n"
	  "pool p 10.0.0.0/32\nsvc b\nreload => b=10.0.0.0\n" },

	/* Design decision 7.4: pools that shrink. */
	{ "a pool that grows",
	  "pool p 10.0.0.0/32\nsvc a\nsvc b\nreload => a=10.0.0.0 b=!\n"
	  "pool p 10.0.0.0/31\nsvc a\nsvc b\nreload => a=10.0.0.0 b=10.0.0.1\n" },
	{ "a pool that shrinks where nobody is",
	  "pool p 10.0.0.0/30\nsvc a\nreload => a=10.0.0.0\npool p 10.0.0.0/32\nsvc a\n"
	  "reload => a=10.0.0.0\n" },
	{ "a pool that shrinks below one is refused, and nothing changes",
	  "pool p 10.0.0.0/30\nsvc a\nsvc b\nreload => a=10.0.0.0 b=10.0.0.1\n"
	  "pool p 10.0.0.1-10.0.0.3\nsvc a\nsvc b\nreload => refused a (10.0.0.0)\n"
	  "pool p 10.0.0.0/30\nsvc a\nsvc b\nreload => a=10.0.0.0 b=10.0.0.1\n" },
	{ "a pool that shrinks by force: one moves, the others stay",
	  "pool p 10.0.0.0/30\nsvc a\nsvc b\nreload => a=10.0.0.0 b=10.0.0.1\n"
	  "pool p 10.0.0.1-10.0.0.3\nsvc a\nsvc b\nforce => a=10.0.0.2 b=10.0.0.1\n"
	  "pool p 10.0.0.0/30\nsvc a\nsvc b\nreload => a=10.0.0.2 b=10.0.0.1\n" },
	{ "a pool that shrinks by force to less than what is needed",
	  "pool p 10.0.0.0/30\nsvc a\nsvc b\nsvc c\nreload => a=10.0.0.0 b=10.0.0.1 c=10.0.0.2\n"
	  "pool p 10.0.0.2-10.0.0.3\nsvc a\nsvc b\nsvc c\n"
	  "reload => refused a (10.0.0.0), b (10.0.0.1)\n"
	  "pool p 10.0.0.2-10.0.0.3\nsvc a\nsvc b\nsvc c\nforce => a=10.0.0.3 b=! c=10.0.0.2\n" },
	{ "the last pool vanishes, and comes back",
	  "pool p 10.0.0.0/30\nsvc a\nreload => a=10.0.0.0\nsvc a\nreload => refused a (10.0.0.0)\n"
	  "svc a\nforce => a=!\npool p 10.0.0.0/30\nsvc a\nreload => a=10.0.0.0\n" },
	{ "one pool of two vanishes",
	  "pool p 10.0.0.0/30\npool q 10.1.0.0/30\nsvc a\nsvc b pool=q\n"
	  "reload => a=10.0.0.0 b=10.1.0.0\npool p 10.0.0.0/30\nsvc a\nsvc b\n"
	  "reload => refused b (10.1.0.0)\npool p 10.0.0.0/30\nsvc a\nsvc b\n"
	  "force => a=10.0.0.0 b=10.0.0.1\n" },
	{ "a pool vanishes together with those that had something of it",
	  "pool p 10.0.0.0/30\npool q 10.1.0.0/30\nsvc a\nsvc b pool=q\n"
	  "reload => a=10.0.0.0 b=10.1.0.0\npool p 10.0.0.0/30\nsvc a\nreload => a=10.0.0.0\n" },
	{ "an address by hand, outside every pool, is no pool's business",
	  "pool p 10.0.0.0/30\nsvc a ip=192.0.2.1\nreload => a=192.0.2.1\nsvc a ip=192.0.2.1\n"
	  "reload => a=192.0.2.1\n" },
	{ "an address by hand, and its pool vanishes around it",
	  "pool p 10.0.0.0/30\nsvc a ip=10.0.0.1\nreload => a=10.0.0.1\nsvc a ip=10.0.0.1\n"
	  "reload => a=10.0.0.1\n" },
	{ "an address by hand that somebody else has: who has it keeps it",
	  "pool p 10.0.0.0/30\nsvc a\nreload => a=10.0.0.0\n"
	  "pool p 10.0.0.0/30\nsvc a\nsvc b ip=10.0.0.0\nreload => a=10.0.0.0 b=!\n" },

	/* What is no loss. */
	{ "a pool of another name",
	  "pool p 10.0.0.0/30\nsvc a\nsvc b\nreload => a=10.0.0.0 b=10.0.0.1\n"
	  "pool q 10.0.0.0/29\nsvc b\nsvc a\nreload => b=10.0.0.1 a=10.0.0.0\n" },
	{ "a range moves to another pool",
	  "pool p 10.0.0.0/30 10.1.0.0/30\npool q 10.2.0.0/30\nsvc a ip=10.1.0.1\nsvc b\n"
	  "reload => a=10.1.0.1 b=10.0.0.0\npool p 10.2.0.0/30\npool q 10.0.0.0/30 10.1.0.0/30\n"
	  "svc a\nsvc b\nreload => a=10.1.0.1 b=10.0.0.0\n" },
	{ "auto-assign goes off", "pool p 10.0.0.0/30\nsvc a\nreload => a=10.0.0.0\npool p manual "
				  "10.0.0.0/30\nsvc a\nsvc b\n"
				  "reload => a=10.0.0.0 b=!\n" },

	/* What a service asks for is its own wish. */
	{ "avoid-buggy-ips takes an address back",
	  "pool p 10.0.0.0/30\nsvc a\nreload => a=10.0.0.0\npool p nobuggy 10.0.0.0/30\nsvc a\n"
	  "reload => a=10.0.0.1\n" },
	{ "another pool is asked for",
	  "pool p 10.0.0.0/30\npool q 10.1.0.0/30\nsvc a\nreload => a=10.0.0.0\n"
	  "pool p 10.0.0.0/30\npool q 10.1.0.0/30\nsvc a pool=q\nreload => a=10.1.0.0\n" },
	{ "another address is asked for, and the one before stays when nobody asks any more",
	  "pool p 10.0.0.0/30\nsvc a\nreload => a=10.0.0.0\n"
	  "pool p 10.0.0.0/30\nsvc a ip=10.0.0.3\nreload => a=10.0.0.3\n"
	  "pool p 10.0.0.0/30\nsvc a\nreload => a=10.0.0.3\n" },
	{ "two stop sharing: the first in the table keeps the address",
	  "pool p 10.0.0.0/30\nsvc a key=k port=1/tcp\nsvc b key=k port=2/tcp\n"
	  "reload => a=10.0.0.0 b=10.0.0.0\n"
	  "pool p 10.0.0.0/30\nsvc a port=1/tcp\nsvc b port=2/tcp\nreload => a=10.0.0.0 "
	  "b=10.0.0.1\n" },
	{ "two begin to share: nobody moves",
	  "pool p 10.0.0.0/30\nsvc a port=1/tcp\nsvc b port=2/tcp\nreload => a=10.0.0.0 "
	  "b=10.0.0.1\n"
	  "pool p 10.0.0.0/30\nsvc a key=k port=1/tcp\nsvc b key=k port=2/tcp\n"
	  "reload => a=10.0.0.0 b=10.0.0.1\n" },

	/* allocation: {sticky, rest}. */
	{ "who returns finds the lowest, as the reference has it",
	  "at 1000\npool p 10.0.0.0/30\nsvc a\nsvc b\nreload => a=10.0.0.0 b=10.0.0.1\n"
	  "reload => \npool p 10.0.0.0/30\nsvc b\nrestart => b=10.0.0.0\n" },
	{ "sticky: who returns has what it had",
	  "at 1000\nallocation sticky\npool p 10.0.0.0/30\nsvc a\nsvc b\n"
	  "reload => a=10.0.0.0 b=10.0.0.1\nallocation sticky\nreload => \nallocation sticky\n"
	  "pool p 10.0.0.0/30\nsvc b\nrestart => b=10.0.0.1\n" },
	{ "sticky: unless somebody else has that by now",
	  "at 1000\nallocation sticky\npool p 10.0.0.0/30\nsvc a\nreload => a=10.0.0.0\n"
	  "allocation sticky\npool p 10.0.0.0/30\nreload => \n"
	  "allocation sticky\npool p 10.0.0.0/30\nsvc b\nreload => b=10.0.0.0\n"
	  "allocation sticky\npool p 10.0.0.0/30\nsvc a\nsvc b\nrestart => a=10.0.0.1 "
	  "b=10.0.0.0\n" },
	{ "rest: nobody else has it before its time, after a restart neither",
	  "at 1000\nallocation rest=60\npool p 10.0.0.0/31\nsvc a\nreload => a=10.0.0.0\n"
	  "allocation rest=60\npool p 10.0.0.0/31\nreload => \n"
	  "at 1059\nallocation rest=60\npool p 10.0.0.0/31\nsvc b\nsvc c\n"
	  "restart => b=10.0.0.1 c=!\n"
	  "at 1060\nallocation rest=60\npool p 10.0.0.0/31\nsvc b\nsvc c\n"
	  "reload => b=10.0.0.1 c=10.0.0.0\n" },
	{ "rest: its own service may return meanwhile",
	  "at 1000\nallocation rest=60\npool p 10.0.0.0/31\nsvc a\nreload => a=10.0.0.0\n"
	  "allocation rest=60\npool p 10.0.0.0/31\nreload => \n"
	  "at 1010\nallocation rest=60\npool p 10.0.0.0/31\nsvc b\nsvc a\n"
	  "restart => b=10.0.0.1 a=10.0.0.0\n" },
	{ "rest: what a service moves away from rests too",
	  "at 1000\nallocation rest=60\npool p 10.0.0.0/31\nsvc a\nreload => a=10.0.0.0\n"
	  "allocation rest=60\npool p 10.0.0.0/31\nsvc a ip=10.0.0.1\n"
	  "reload => a=10.0.0.1\n"
	  "at 1010\nallocation rest=60\npool p 10.0.0.0/31\nsvc a ip=10.0.0.1\nsvc b\n"
	  "reload => a=10.0.0.1 b=!\n" },
};

/** One file. */
struct file {
	struct cfg cfg;
	struct cfg_pool pools[4];
	struct cfg_service services[4];
};

/** The daemon. */
struct player {
	struct arena *a;
	struct file *file; /* as written so far; NULL: none is begun */
	struct alloc_table *table;
	struct alloc_assignments *now; /* NULL: before the first */
};

static struct file *file_open(struct player *p)
{
	if (p->file)
		return p->file;
	p->file = arena_new_of(p->a, struct file);
	p->file->cfg.pools = p->file->pools;
	p->file->cfg.services = p->file->services;
	return p->file;
}

static void play_pool(struct player *p, const char *line)
{
	char *rest = arena_strdup(p->a, line), *name = strsep(&rest, " ");
	bool manual = strncmp(rest, "manual ", 7) == 0;
	bool no_buggy = strncmp(rest, "nobuggy ", 8) == 0;
	struct file *f = file_open(p);
	struct cfg_pool *pool = &f->pools[f->cfg.n_pools++];

	*pool = fx_pool(p->a, name, rest + (manual ? 7 : no_buggy ? 8 : 0));
	pool->auto_assign = !manual;
	pool->avoid_buggy_ips = no_buggy;
}

static void service_word(struct player *p, struct cfg_service *s, const char *word)
{
	const char *value = strchr(word, '=') + 1;

	if (strncmp(word, "ip=", 3) == 0)
		s->addresses = fx_addrs(p->a, value, &s->n_addresses);
	else if (strncmp(word, "pool=", 5) == 0)
		s->pool = value;
	else if (strncmp(word, "key=", 4) == 0)
		s->sharing_key = value;
	else if (strncmp(word, "port=", 5) == 0)
		s->ports = fx_ports(p->a, value, &s->n_ports);
	else
		fail_msg("unknown word %s", word);
}

static void play_allocation(struct player *p, const char *line)
{
	const char *rest = strstr(line, "rest=");

	file_open(p)->cfg.allocation = (struct cfg_allocation){
		.sticky = strncmp(line, "sticky", 6) == 0,
		.rest = DUR_S(rest ? atoi(rest + 5) : 0),
	};
}

static void play_svc(struct player *p, const char *line)
{
	char *rest = arena_strdup(p->a, line);
	struct file *f = file_open(p);
	struct cfg_service *s = &f->services[f->cfg.n_services++];

	s->name = strsep(&rest, " ");
	for (char *word; (word = strsep(&rest, " "));)
		service_word(p, s, word);
}

static void run(struct player *p)
{
	alloc_assignments_free(p->now);
	p->now = alloc_standalone(&p->file->cfg, p->table);
	(void)alloc_table_record(p->table, p->now, "n");
}

/* What the daemon does with a file that it follows, having nobody to agree with. */
static void follow(struct player *p)
{
	run(p);
	if (alloc_table_prune_with(p->table, &p->file->cfg, "n", p->now))
		run(p);
	assert_int_equal(alloc_table_prune(p->table, &p->file->cfg, "n"), 0);
	assert_int_equal(alloc_table_record(p->table, p->now, "n"), 0);
}

static void restart(struct player *p)
{
	json_t *json = alloc_table_encode(p->table);
	int64_t now_s = alloc_table_time(p->table);
	struct err e = { 0 };

	alloc_table_free(p->table);
	assert_int_equal(alloc_table_decode(json, &p->table, &e), 0);
	alloc_table_set_time(p->table, now_s);
	json_decref(json);
	p->now = alloc_assignments_free(p->now);
	follow(p);
}

static void expect_now(struct player *p, const char *line, const char *expected)
{
	const char *text = "";

	for (size_t i = 0; i < p->now->n; i++) {
		const struct alloc_assignment *x = &p->now->v[i];

		text = arena_printf(p->a, "%s%s%s=%s", text, i ? " " : "", x->service,
				    x->n ? fx_text(p->a, x->addresses, x->n) : "!");
	}
	if (strcmp(text, expected) != 0)
		fail_msg("%s: gave %s", line, text);
}

static void play_file(struct player *p, const char *line, const char *verb, const char *expected)
{
	struct err e = { 0 };
	struct file *f = file_open(p);
	bool is_reload = strcmp(verb, "reload") == 0;
	bool is_refused = strncmp(expected, "refused ", 8) == 0;

	if (is_reload && p->now && alloc_check_shrink(p->now, &f->cfg, &e) < 0) {
		if (!is_refused || !strstr(e.text, expected + 8))
			fail_msg("%s: gave %s", line, e.text);
		return;
	}
	if (strcmp(verb, "restart") == 0)
		restart(p);
	else
		follow(p);
	expect_now(p, line, expected);
}

static void play_line(struct player *p, char *line)
{
	const char *whole = arena_strdup(p->a, line);
	char *arrow = strstr(line, " => ");

	if (strncmp(line, "pool ", 5) == 0) {
		play_pool(p, line + 5);
	} else if (strncmp(line, "svc ", 4) == 0) {
		play_svc(p, line + 4);
	} else if (strncmp(line, "allocation ", 11) == 0) {
		play_allocation(p, line + 11);
	} else if (strncmp(line, "at ", 3) == 0) {
		alloc_table_set_time(p->table, atoi(line + 3));
	} else if (arrow) {
		*arrow = '\0';
		play_file(p, whole, line, arrow + 4);
		p->file = NULL; /* the assignments own their texts */
	} else {
		fail_msg("unknown line %s", line);
	}
}

static void plays(void **state)
{
	const struct script *s = *state;
	struct player p = { .a = arena_new(), .table = alloc_table_new() };
	char *rest = arena_strdup(p.a, s->text);

	for (char *line; (line = strsep(&rest, "\n"));)
		if (*line)
			play_line(&p, line);
	alloc_assignments_free(p.now);
	alloc_table_free(p.table);
	arena_free(p.a);
}

int main(void)
{
	return RUN_TABLE("reload", scripts, plays);
}
