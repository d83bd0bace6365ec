/* What members share, message by message: sizes, bad texts, restarts, withdrawals. */
#include <stdio.h>
#include <string.h>

#include "app/share.h"
#include "support.h"

enum { LOG_MAX = 1 << 16 };

/* What the hooks were told, as text; messages as they are. */
struct ear {
	char log[LOG_MAX];
	struct buf sent; /* the last message */
	size_t n_sent;
	json_t *table; /* of allocations */
	size_t merged;
};

static void on_broadcast(void *ctx, const void *bytes, size_t len)
{
	struct ear *e = ctx;

	assert_true(len <= SHARE_MESSAGE_MAX);
	buf_clear(&e->sent);
	buf_append(&e->sent, bytes, len);
	e->n_sent++;
}

static void on_verdict(void *ctx, const char *node, const char *service, bool servable)
{
	struct ear *e = ctx;
	size_t n = strlen(e->log);

	(void)snprintf(e->log + n, LOG_MAX - n, "%s:%s=%d ", node, service, servable);
}

static void on_holds(void *ctx, const char *node, const char *service, uint64_t term)
{
	struct ear *e = ctx;
	size_t n = strlen(e->log);

	(void)snprintf(e->log + n, LOG_MAX - n, "%s^%s=%d ", node, service, (int)term);
}

static void on_host(void *ctx, const char *node, const json_t *host)
{
	struct ear *e = ctx;
	size_t n = strlen(e->log);
	CLEANUP(mem_freep) char *text = host ? json_dumps(host, JSON_COMPACT) : NULL;

	(void)snprintf(e->log + n, LOG_MAX - n, "%s@%s ", node, text ? text : "-");
}

static bool on_is_member(void *ctx, const char *node)
{
	(void)ctx;
	(void)node;
	return true;
}

static void on_silent(void *ctx, const char *node, const char *service)
{
	struct ear *e = ctx;
	size_t n = strlen(e->log);

	(void)snprintf(e->log + n, LOG_MAX - n, "%s:%s=- ", node, service);
}

static json_t *on_allocations(void *ctx)
{
	struct ear *e = ctx;

	return e->table ? json_incref(e->table) : json_array();
}

static bool on_merge(void *ctx, const json_t *table)
{
	struct ear *e = ctx;

	e->merged += json_array_size(table);
	return json_array_size(table) > 0;
}

static struct share *share_with(struct ear *e, const char *me, uint64_t epoch)
{
	return share_new(me, epoch,
			 &(struct share_hooks){ .ctx = e,
						.broadcast = on_broadcast,
						.verdict = on_verdict,
						.silent = on_silent,
						.holds = on_holds,
						.host = on_host,
						.is_member = on_is_member,
						.allocations = on_allocations,
						.merge_allocations = on_merge });
}

static bool hears(struct share *s, const char *text)
{
	return share_read(s, rd_from(text, strlen(text)));
}

#define assert_told(e, want)                           \
	do {                                           \
		assert_string_equal((e)->log, (want)); \
		(e)->log[0] = '\0';                    \
	} while (0)

static void ear_free(struct ear *e)
{
	buf_fini(&e->sent);
	json_decref(e->table);
	free(e);
}

/* --- sizes --- */

static void many_verdicts_fit_their_messages(void **state)
{
	struct ear *e = mem_new(struct ear), *f = mem_new(struct ear);
	CLEANUP(mem_freep) char *node = mem_zero(254, 1);
	struct share *a, *b;
	struct buf all = { 0 };

	(void)state;
	memset(node, 'n', 253);
	a = share_with(e, node, UINT64_C(1) << 61);
	b = share_with(f, "b", 1);
	share_config(a, UINT64_MAX);
	for (int i = 0; i < 300; i++) {
		char name[254] = "";
		char fill[200] = "";

		memset(fill, 's', (size_t)(i % 199));
		(void)snprintf(name, sizeof(name), "\"\\%d%s", i, fill); /* grows in JSON */
		share_serve(a, name, i % 2);
		assert_true(share_read(b, rd_from(e->sent.p, e->sent.len)));
	}
	e->n_sent = 0;
	share_repeat(a);
	assert_true(e->n_sent > 10 && e->n_sent < 100);
	share_write(a, &all);
	assert_false(share_read(b, rd_from(all.p, all.len))); /* nothing was missing */
	assert_int_equal(share_refused(b), 0);
	buf_fini(&all);
	share_free(a);
	share_free(b);
	ear_free(e);
	ear_free(f);
}

static void a_new_hash_is_one_message(void **state)
{
	struct ear *e = mem_new(struct ear);
	struct share *a = share_with(e, "a", 1);

	(void)state;
	for (int i = 0; i < 300; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "service-%d", i);
		share_serve(a, name, true);
	}
	e->n_sent = 0;
	share_config(a, 1);
	share_config(a, 1);
	assert_int_equal(e->n_sent, 1);
	share_free(a);
	ear_free(e);
}

static json_t *allocation_of(size_t name_len, uint64_t epoch)
{
	CLEANUP(mem_freep) char *name = mem_zero(name_len + 1, 1);

	memset(name, 'x', name_len);
	return json_pack("{s:s, s:[s], s:I, s:s}", "service", name, "addresses", "192.0.2.1",
			 "epoch", (json_int_t)epoch, "node", "a");
}

static void allocations_travel_in_pieces(void **state)
{
	struct ear *e = mem_new(struct ear), *f = mem_new(struct ear);
	struct share *a = share_with(e, "a", 1), *b = share_with(f, "b", 1);
	json_t *changed = json_array();
	struct buf all = { 0 };

	(void)state;
	share_allocations(a, changed);
	assert_int_equal(e->n_sent, 0); /* nothing to say */
	for (size_t i = 0; i < 100; i++)
		json_array_append_new(changed, allocation_of(i, i));
	json_array_append_new(changed, allocation_of(5000, 5000)); /* by push/pull alone */
	share_allocations(a, changed);
	assert_true(e->n_sent > 8 && e->n_sent < 30);
	e->table = changed;
	share_write(a, &all);
	assert_true(share_read(b, rd_from(all.p, all.len)));
	assert_int_equal(f->merged, 101);
	buf_fini(&all);
	share_free(a);
	share_free(b);
	ear_free(e);
	ear_free(f);
}

/* --- lives --- */

static void newer_wins_and_a_withdrawal_stays(void **state)
{
	struct ear *e = mem_new(struct ear);
	struct share *s = share_with(e, "me", 1);

	(void)state;
#define SAY(epoch, serving)                                                                        \
	"{\"crier\":1,\"states\":[{\"node\":\"n\",\"epoch\":" epoch ",\"serving\":{" serving "}}]" \
	"}"
	assert_true(hears(s, SAY("7", "\"web\":[2,true]")));
	assert_told(e, "n:web=1 ");
	assert_false(hears(s, SAY("7", "\"web\":[2,true]")));
	assert_false(hears(s, SAY("7", "\"web\":[1,false]")));
	assert_told(e, "");
	assert_true(hears(s, SAY("7", "\"web\":[4]")));
	assert_told(e, "n:web=- ");
	assert_false(hears(s, SAY("7", "\"web\":[3,true]"))); /* late */
	assert_true(hears(s, SAY("7", "\"mail\":[5]")));      /* of which nothing was known */
	assert_told(e, "");
	share_replay(s);
	assert_told(e, "");
	assert_true(hears(s, SAY("7", "\"web\":[6,false]")));
	assert_told(e, "n:web=0 ");
	share_replay(s);
	assert_told(e, "n:web=0 ");
	share_forget(s, "n");
	share_replay(s);
	assert_told(e, "");
	share_free(s);
	ear_free(e);
}

static void a_new_life_takes_the_old_one_back(void **state)
{
	struct ear *e = mem_new(struct ear);
	struct share *s = share_with(e, "me", 1);

	(void)state;
	(void)hears(s, SAY("7", "\"web\":[200,true],\"mail\":[201,false]"));
	assert_told(e, "n:web=1 n:mail=0 ");
	assert_true(hears(s, SAY("8", ""))); /* others have to hear it too */
	assert_told(e, "n:web=- n:mail=- ");
	assert_false(hears(s, SAY("7", "\"web\":[900,true]")));
	assert_true(hears(s, SAY("8", "\"web\":[1,true]")));
	assert_told(e, "n:web=1 ");
	share_free(s);
	ear_free(e);
}

static void an_earlier_life_of_ours_is_refuted(void **state)
{
	struct ear *e = mem_new(struct ear), *f = mem_new(struct ear);
	struct share *s = share_with(e, "n", 5), *other = share_with(f, "other", 1);

	(void)state;
	(void)hears(other, SAY("7", "\"web\":[200,true],\"mail\":[201,true]"));
	f->log[0] = '\0';
	share_serve(s, "web", false);
	assert_false(share_read(other, rd_from(e->sent.p, e->sent.len))); /* an old clock's word */
	e->n_sent = 0;
	assert_false(hears(s, SAY("7", "\"web\":[200,true],\"mail\":[201,true]")));
	assert_int_equal(e->n_sent, 1);
	assert_true(share_read(other, rd_from(e->sent.p, e->sent.len)));
	assert_told(f, "n:web=- n:mail=- n:web=0 ");
	/* Once aloud; another member of our name must not make us shout for ever. */
	(void)hears(s, SAY("4000000000", ""));
	assert_int_equal(e->n_sent, 1);
	share_serve(s, "web", true);
	assert_true(share_read(other, rd_from(e->sent.p, e->sent.len)));
	share_free(s);
	share_free(other);
	ear_free(e);
	ear_free(f);
}

#define HOST(version, host)                                                                      \
	"{\"crier\":1,\"states\":[{\"node\":\"n\",\"epoch\":7,\"serving\":{},\"host\":[" version \
	"," host "]}]}"

static void hosts_are_told_and_forgotten(void **state)
{
	struct ear *e = mem_new(struct ear), *f = mem_new(struct ear);
	struct share *a = share_with(e, "a", 1), *b = share_with(f, "b", 1);
	struct buf all = { 0 };

	(void)state;
	share_host(a, json_pack("{s:b}", "any", 1));
	share_host(a, json_pack("{s:b}", "any", 1));
	assert_int_equal(e->n_sent, 1); /* the second is no news */
	assert_true(share_read(b, rd_from(e->sent.p, e->sent.len)));
	assert_told(f, "a@{\"any\":true} ");
	share_write(a, &all);
	assert_false(share_read(b, rd_from(all.p, all.len)));
	assert_true(hears(b, HOST("4", "{\"any\":false}")));
	assert_told(f, "n@{\"any\":false} ");
	assert_false(hears(b, HOST("3", "{\"any\":true}"))); /* older */
	assert_non_null(share_host_of(b, "n"));
	assert_true(hears(b, SAY("8", ""))); /* a new life says it anew */
	assert_told(f, "n@- ");
	assert_null(share_host_of(b, "n"));
	buf_fini(&all);
	share_free(a);
	share_free(b);
	ear_free(e);
	ear_free(f);
}

static void the_last_to_take_a_service_has_it(void **state)
{
	struct ear *e = mem_new(struct ear), *f = mem_new(struct ear);
	struct share *a = share_with(e, "a", 1), *b = share_with(f, "b", 1);
	uint64_t term;

	(void)state;
	share_hold(a, "web", true);
	share_hold(a, "web", true);
	share_serve(a, "mail", true);
	share_flush(a);
	assert_true(share_read(b, rd_from(e->sent.p, e->sent.len)));
	assert_told(f, "a^web=1 ");
	share_hold(b, "web", true); /* a was thought to be dead */
	share_flush(b);
	assert_true(share_read(a, rd_from(f->sent.p, f->sent.len)));
	assert_string_equal(share_holder(a, "web", &term), "b");
	assert_int_equal(term, 2);
	share_serve(b, "web", false); /* a verdict takes no term away */
	assert_true(share_read(a, rd_from(f->sent.p, f->sent.len)));
	assert_string_equal(share_holder(a, "web", &term), "b");
	share_hold(b, "web", false);
	share_flush(b);
	assert_true(share_read(a, rd_from(f->sent.p, f->sent.len)));
	assert_string_equal(share_holder(a, "web", &term), "a");
	share_forget(a, "b");
	share_hold(a, "web", false);
	assert_null(share_holder(a, "web", &term));
	share_hold(a, "web", true); /* terms outlive those who held them */
	assert_string_equal(share_holder(a, "web", &term), "a");
	assert_int_equal(term, 3);
	(void)hears(a, SAY("7", "\"web\":[5,null,3]"));
	assert_string_equal(share_holder(a, "web", &term), "a"); /* one term: by name */
	share_free(a);
	share_free(b);
	ear_free(e);
	ear_free(f);
}

/* --- what is refused --- */

static const struct refusal {
	const char *name;
	const char *text;
	size_t refused;
} refusals[] = {
	{ "nothing", "", 0 },
	{ "no JSON", "hello", 1 },
	{ "cut off", "{\"crier\":1,\"states\":[", 1 },
	{ "a list", "[1]", 1 },
	{ "somebody else's", "{\"other\":1}", 1 },
	{ "a later version", "{\"crier\":2,\"states\":[]}", 1 },
	{ "nothing said", "{\"crier\":1}", 0 },
	{ "states are no list", "{\"crier\":1,\"states\":{\"node\":1}}", 0 },
	{ "a statement is no object", "{\"crier\":1,\"states\":[1,[],null]}", 3 },
	{ "no node", "{\"crier\":1,\"states\":[{\"epoch\":1,\"serving\":{}}]}", 1 },
	{ "no epoch", "{\"crier\":1,\"states\":[{\"node\":\"n\",\"serving\":{}}]}", 1 },
	{ "an epoch below zero", SAY("-1", "\"web\":[1,true]"), 1 },
	{ "an epoch without a next", SAY("9223372036854775807", "\"web\":[1,true]"), 1 },
	{ "an epoch too large", SAY("9223372036854775808", "\"web\":[1,true]"), 1 },
	{ "an epoch with a fraction", SAY("1.5", "\"web\":[1,true]"), 1 },
	{ "a version below zero", SAY("1", "\"web\":[-1,true]"), 1 },
	{ "version zero", SAY("1", "\"web\":[0,true]"), 1 },
	{ "a verdict without version", SAY("1", "\"web\":[true]"), 1 },
	{ "a verdict that is no list", SAY("1", "\"web\":true"), 1 },
	{ "a verdict that is a number", SAY("1", "\"web\":[1,1]"), 1 },
	{ "allocations are no list", "{\"crier\":1,\"allocations\":{}}", 0 },
	{ "a term below zero", SAY("1", "\"web\":[1,true,-1]"), 1 },
	{ "a term that is a word", SAY("1", "\"web\":[1,null,\"x\"]"), 1 },
	{ "a host that is no object",
	  "{\"crier\":1,\"states\":[{\"node\":\"n\",\"epoch\":1,\"serving\":{},\"host\":[1,2]}]}",
	  1 },
	{ "a host without version",
	  "{\"crier\":1,\"states\":[{\"node\":\"n\",\"epoch\":1,\"serving\":{},\"host\":{}}]}", 1 },
	{ "ours",
	  "{\"crier\":1,\"states\":[{\"node\":\"me\",\"epoch\":1,\"serving\":{\"w\":[9,true]}}]}",
	  0 },
};

static void refuses(void **state)
{
	const struct refusal *c = *state;
	struct ear *e = mem_new(struct ear);
	struct share *s = share_with(e, "me", 1);

	(void)hears(s, c->text);
	assert_told(e, "");
	assert_int_equal(share_refused(s), c->refused);
	share_free(s);
	ear_free(e);
}

static void names_have_a_bound(void **state)
{
	struct ear *e = mem_new(struct ear);
	struct share *s = share_with(e, "me", 1);
	CLEANUP(mem_freep) char *name = mem_zero(255, 1);

	(void)state;
	memset(name, 'x', 254);
	CLEANUP(mem_freep) char *service = mem_printf(SAY("1", "\"%s\":[1,true]"), name);
	CLEANUP(mem_freep)
	char *node = mem_printf("{\"crier\":1,\"states\":[{\"node\":\"%s\",\"epoch\":1,"
				"\"serving\":{\"web\":[1,true]}}]}",
				name);
	(void)hears(s, service);
	(void)hears(s, node);
	assert_told(e, "");
	assert_int_equal(share_refused(s), 2);
	share_free(s);
	ear_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_verdicts_fit_their_messages),
		cmocka_unit_test(a_new_hash_is_one_message),
		cmocka_unit_test(allocations_travel_in_pieces),
		cmocka_unit_test(newer_wins_and_a_withdrawal_stays),
		cmocka_unit_test(a_new_life_takes_the_old_one_back),
		cmocka_unit_test(an_earlier_life_of_ours_is_refuted),
		cmocka_unit_test(names_have_a_bound),
		cmocka_unit_test(hosts_are_told_and_forgotten),
		cmocka_unit_test(the_last_to_take_a_service_has_it),
	};

	return cmocka_run_group_tests_name("app/share", tests, NULL, NULL) +
	       RUN_TABLE("app/share refuses", refusals, refuses);
}
