/*
 * What another member says, any bytes. What was understood is told on whole to a second member, who
 * must then know the same, and find nothing new in hearing it again.
 */
#include <assert.h>
#include <string.h>

#include "app/share.h"
#include "fuzz.h"

static void on_broadcast(void *ctx, const void *bytes, size_t len)
{
	(void)ctx;
	assert(bytes && len <= SHARE_MESSAGE_MAX);
}

static void on_verdict(void *ctx, const char *node, const char *service, bool servable)
{
	size_t *told = ctx;

	assert(strlen(node) <= 253 && strlen(service) <= 253);
	*told += 1 + servable;
}

static bool on_is_member(void *ctx, const char *node)
{
	(void)ctx;
	(void)node;
	return true;
}

static void on_silent(void *ctx, const char *node, const char *service)
{
	size_t *told = ctx;

	assert(*told > 0); /* something was said before */
	assert(node && service);
}

static json_t *no_allocations(void *ctx)
{
	(void)ctx;
	return json_array();
}

static bool on_merge(void *ctx, const json_t *table)
{
	(void)ctx;
	assert(json_is_array(table));
	return false;
}

static void on_holds(void *ctx, const char *node, const char *service, uint64_t term)
{
	(void)ctx, (void)term;
	assert(node && service);
}

static void on_host(void *ctx, const char *node, const json_t *host)
{
	(void)ctx;
	assert(node && (!host || json_is_object(host)));
}

static struct share *member(const char *name, size_t *told)
{
	struct share *s = share_new(name, 1000,
				    &(struct share_hooks){ .ctx = told,
							   .broadcast = on_broadcast,
							   .verdict = on_verdict,
							   .silent = on_silent,
							   .holds = on_holds,
							   .host = on_host,
							   .is_member = on_is_member,
							   .allocations = no_allocations,
							   .merge_allocations = on_merge });

	share_serve(s, "web", true);
	share_config(s, 1);
	return s;
}

static bool tell_all(const struct share *from, struct share *to)
{
	struct buf b = { 0 };

	share_write(from, &b);
	bool news = share_read(to, rd_from(b.p, b.len));

	buf_fini(&b);
	return news;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t told = 0, told_second = 0;
	struct share *s = member("n", &told), *second = member("second", &told_second);

	/* Lines are messages, one after the other. */
	for (size_t at = 0; at < size;) {
		const uint8_t *end = memchr(data + at, '\n', size - at);
		size_t len = end ? (size_t)(end - data) - at : size - at;

		(void)share_read(s, rd_from(data + at, len));
		at += len + 1;
	}
	(void)tell_all(s, second);
	assert(share_refused(second) == 0);
	assert(!tell_all(s, second));
	share_replay(s);
	share_repeat(s);
	share_forget(s, "m");
	share_free(s);
	share_free(second);
	return 0;
}

FUZZ_MAIN;
