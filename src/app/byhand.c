#include "app/byhand.h"

#include <string.h>

#include "app/route_line.h"
#include "base/list.h"
#include "base/text.h"

enum {
	SLICE_BYTES = 16 * 1024, /* of lines in one go: a few hundred */
	AT_ONCE_BYTES = 1024,	 /* so few do not wait for the end of the loop's turn */
	SHOWN_BYTES = 200,	 /* of a bad line */
};

struct hold {
	struct list link;
	struct byhand *byhand;
	uint32_t owner;
};

struct batch {
	struct list link;
	struct byhand *byhand;
	struct control_stream *asked; /* NULL: gone */
	uint32_t owner;
	char *text;
	size_t len, at;
	size_t line; /* the next one's number, from 1 */
	size_t announced, withdrawn;
	json_t *errors;
};

/** Lines that come as they are written: a batch without end. */
struct feed {
	struct batch lines;
	size_t refused;
	bool cut;  /* the rest of a line that is too long is still to come */
	bool over; /* whoever held its routes has gone */
};

struct byhand {
	struct bgp_speaker *bgp;
	struct loop_task work;
	struct list batches; /* in order */
	struct list feeds;
	struct list holds;
	uint32_t last_owner;
	struct route_line line; /* the one at work: it is large */
};

/* --- one line --- */

static int peer_unknown(const struct byhand *b, const char *name, struct err *e)
{
	const char *names[64];
	struct bgp_peer_status st;
	size_t n = 0;

	for (size_t at = 0; n < ARRAY_LEN(names) && bgp_speaker_next(b->bgp, &at, &st);)
		names[n++] = st.name;
	const char *near = text_nearest(name, names, n);
	return err_set(e, ERR_NOT_FOUND, "there is no peer '%.60s' on this node%s%s%s", name,
		       near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* A peer goes by its name, or by its address: then it may be several. */
static int peer_add(const struct byhand *b, const char *name, const char **out, size_t *n,
		    struct err *e)
{
	struct bgp_peer_status st;
	struct addr addr;
	size_t had = *n;

	if (bgp_speaker_find(b->bgp, name, &st)) {
		out[(*n)++] = st.name;
		return 0;
	}
	if (addr_parse(name, &addr) == 0)
		for (size_t at = 0; *n < ROUTE_PEERS_MAX && bgp_speaker_next(b->bgp, &at, &st);)
			if (addr_eq(&st.addr, &addr))
				out[(*n)++] = st.name;
	return *n > had ? 0 : peer_unknown(b, name, e);
}

/* Names of peers for what the line says; none: all. */
static int peers_of(const struct byhand *b, const char *out[static ROUTE_PEERS_MAX], size_t *n,
		    struct err *e)
{
	*n = 0;
	for (size_t i = 0; i < b->line.n_peers; i++) {
		if (*n == ROUTE_PEERS_MAX)
			return err_set(e, ERR_LIMIT, "more than %d peers", ROUTE_PEERS_MAX);
		int status = peer_add(b, b->line.peers[i], out, n, e);
		if (status < 0)
			return status;
	}
	return 0;
}

static int not_of_networks(const struct byhand *b, const struct prefix *p, struct err *e)
{
	struct bgp_audience now;

	if (bgp_speaker_by_hand(b->bgp, p, &now) && now.owner == BYHAND_NETWORKS)
		return err_set(e, ERR_STATE, "%s is one of networks: of the configuration",
			       PREFIX_TEXT(p));
	return 0;
}

static int carry_out(struct byhand *b, uint32_t owner, struct err *e)
{
	const struct route_line *l = &b->line;
	const char *peers[ROUTE_PEERS_MAX];
	struct bgp_audience to = { .peers = peers, .owner = owner };
	int status = peers_of(b, peers, &to.n_peers, e);

	if (status == 0)
		status = not_of_networks(b, &l->prefix, e);
	if (status < 0)
		return status;
	if (l->verb == ROUTE_ANNOUNCE && l->is_neighbors)
		return bgp_speaker_announce_also(b->bgp, &l->prefix, &l->attrs, &to, e);
	if (l->verb == ROUTE_ANNOUNCE)
		return bgp_speaker_announce(b->bgp, &l->prefix, &l->attrs, &to, e);
	if (to.n_peers)
		return bgp_speaker_withdraw_from(b->bgp, &l->prefix, &to, e);
	return bgp_speaker_withdraw(b->bgp, &l->prefix, e);
}

/* --- batches --- */

static void batch_free(struct batch *t)
{
	list_remove(&t->link);
	json_decref(t->errors);
	free(t->text);
	free(t);
}

static void line_refused(struct batch *t, const char *text, size_t len, const struct err *e)
{
	char shown[SHOWN_BYTES + 1];

	len = MIN(len, sizeof(shown) - 1);
	memcpy(shown, text, len);
	shown[len] = '\0';
	for (size_t i = 0; i < len; i++)
		if (shown[i] < ' ' || shown[i] > '~')
			shown[i] = '?';
	json_t *message = json_string(e->text); /* NULL when a word of it is no text */
	json_array_append_new(t->errors,
			      json_pack("{s:I, s:s, s:o}", "line", (json_int_t)t->line, "text",
					shown, "message",
					message ? message : json_string("not a line of text")));
}

static void line_take(struct byhand *b, struct batch *t, const char *text, size_t len)
{
	struct err e = { 0 };
	int status = route_line_parse(text, len, &b->line, &e);

	if (status == 0 && b->line.verb == ROUTE_SYNC)
		bgp_speaker_known(b->bgp, BGP_AWAITS_FEEDERS);
	else if (status == 0 && b->line.verb != ROUTE_NOTHING)
		status = carry_out(b, t->owner, &e);
	if (status < 0)
		line_refused(t, text, len, &e);
	else if (b->line.verb == ROUTE_ANNOUNCE)
		t->announced++;
	else if (b->line.verb == ROUTE_WITHDRAW)
		t->withdrawn++;
	t->line++;
}

static void batch_answer(struct batch *t)
{
	json_t *data = json_pack("{s:I, s:I, s:O}", "announced", (json_int_t)t->announced,
				 "withdrawn", (json_int_t)t->withdrawn, "errors", t->errors);

	if (t->asked)
		control_stream_answer(t->asked, data);
	else
		json_decref(data);
	batch_free(t);
}

static const struct hold *hold_find(const struct byhand *b, uint32_t owner)
{
	struct hold *h;

	LIST_EACH (h, &b->holds, link) {
		if (h->owner == owner)
			return h;
	}
	return NULL;
}

static void batch_slice(struct byhand *b, struct batch *t)
{
	size_t until = MIN(t->len, t->at + SLICE_BYTES);

	while (t->at < until) {
		const char *text = t->text + t->at;
		const char *end = memchr(text, '\n', t->len - t->at);
		size_t len = end ? (size_t)(end - text) : t->len - t->at;

		line_take(b, t, text, len);
		t->at += len + 1;
	}
}

static void work(struct loop_task *task)
{
	struct byhand *b = CONTAINER_OF(task, struct byhand, work);

	if (list_empty(&b->batches))
		return;
	struct batch *t = LIST_ENTRY(b->batches.next, struct batch, link);
	batch_slice(b, t);
	if (t->at >= t->len)
		batch_answer(t);
	if (!list_empty(&b->batches))
		loop_task_queue(&b->work);
}

/* What was asked is done even so: a program may write its lines and go. */
static void batch_unasked(void *ctx)
{
	((struct batch *)ctx)->asked = NULL;
}

static int owner_read(const struct byhand *b, const json_t *args, uint32_t *out, struct err *e)
{
	const json_t *owner = json_object_get(args, "owner");
	json_int_t v = json_integer_value(owner);

	*out = BYHAND_ANYBODY;
	if (!owner)
		return 0;
	if (v <= BYHAND_NETWORKS || v > UINT32_MAX || !hold_find(b, (uint32_t)v))
		return err_set(e, ERR_STATE, "args.owner: nobody holds routes by this number");
	*out = (uint32_t)v;
	return 0;
}

int byhand_lines(struct byhand *b, const json_t *args, struct control_stream *s, struct err *e)
{
	const json_t *lines = json_object_get(args, "lines");
	uint32_t owner;
	int status = owner_read(b, args, &owner, e);

	if (!json_is_string(lines))
		return err_set(e, ERR_PROTOCOL, "routes needs args.lines: announce PREFIX …");
	if (status < 0)
		return status;
	bool idle = list_empty(&b->batches);
	struct batch *t = mem_new(struct batch);
	t->byhand = b;
	t->asked = s;
	t->owner = owner;
	t->len = json_string_length(lines);
	t->text = mem_dup(json_string_value(lines), t->len + 1);
	t->line = 1;
	t->errors = json_array();
	list_append(&b->batches, &t->link);
	control_stream_on_close(s, batch_unasked, t);
	/* What peers are told goes out as a task, too, and then before the answer, which would wake whoever asked. */
	if (idle && t->len <= AT_ONCE_BYTES)
		batch_slice(b, t);
	loop_task_queue(&b->work);
	return 0;
}

/* --- feeds --- */

static void feed_free(void *feed)
{
	struct feed *f = feed;

	list_remove(&f->lines.link);
	json_decref(f->lines.errors);
	free(f);
}

static void feed_tell_refused(struct feed *f)
{
	json_t *one;
	size_t i;

	json_array_foreach(f->lines.errors, i, one) control_stream_send(f->lines.asked, one);
	f->refused += json_array_size(f->lines.errors);
	json_array_clear(f->lines.errors);
}

/* The next line, or as much of one as is too long in any case. NULL: the rest is not there yet. */
static const char *feed_line_end(const char *text, size_t len)
{
	const char *end = memchr(text, '\n', len);

	if (end || len <= ROUTE_LINE_MAX)
		return end;
	return text + len - 1;
}

static void feed_line(struct feed *f, const char *text, const char *end)
{
	bool whole = *end == '\n';

	if (!f->cut && !f->over)
		line_take(f->lines.byhand, &f->lines, text, (size_t)(end - text) + !whole);
	f->cut = !whole;
}

static size_t feed_take(void *feed, const char *bytes, size_t len)
{
	struct feed *f = feed;
	const char *at = bytes, *end;

	while (at < bytes + MIN(len, SLICE_BYTES) &&
	       (end = feed_line_end(at, (size_t)(bytes + len - at)))) {
		feed_line(f, at, end);
		at = end + 1;
	}
	if (json_array_size(f->lines.errors))
		feed_tell_refused(f);
	return (size_t)(at - bytes);
}

static void feed_end(void *feed)
{
	struct feed *f = feed;
	json_t *sum = json_pack("{s:I, s:I, s:I}", "announced", (json_int_t)f->lines.announced,
				"withdrawn", (json_int_t)f->lines.withdrawn, "refused",
				(json_int_t)f->refused);

	control_stream_send(f->lines.asked, sum);
	json_decref(sum);
	control_stream_end(f->lines.asked);
	feed_free(f);
}

int byhand_feed(struct byhand *b, const json_t *args, struct control_stream *s, struct err *e)
{
	uint32_t owner;
	int status = owner_read(b, args, &owner, e);

	if (status < 0)
		return status;
	struct feed *f = mem_new(struct feed);
	f->lines = (struct batch){ .byhand = b, .asked = s, .owner = owner, .line = 1 };
	f->lines.errors = json_array();
	list_append(&b->feeds, &f->lines.link);
	control_stream_on_close(s, feed_free, f);
	control_stream_feed(s, &(struct control_feed){ feed_take, feed_end, f });
	return 0;
}

/* --- holders --- */

/* What is still to be done for a holder that has gone would stay behind. */
static void hold_closed(void *ctx)
{
	struct hold *h = ctx;
	struct byhand *b = h->byhand;
	struct batch *t;

	LIST_EACH (t, &b->batches, link) {
		if (t->owner == h->owner)
			t->at = t->len;
	}
	LIST_EACH (t, &b->feeds, link) {
		if (t->owner == h->owner)
			CONTAINER_OF(t, struct feed, lines)->over = true;
	}
	bgp_speaker_withdraw_all(b->bgp, h->owner);
	list_remove(&h->link);
	free(h);
}

int byhand_hold(struct byhand *b, struct control_stream *s, struct err *e)
{
	if (b->last_owner == UINT32_MAX)
		return err_set(e, ERR_LIMIT, "no number is left: restart crier");
	struct hold *h = mem_new(struct hold);
	h->byhand = b;
	h->owner = ++b->last_owner;
	list_append(&b->holds, &h->link);
	control_stream_on_close(s, hold_closed, h);
	json_t *item = json_pack("{s:I}", "owner", (json_int_t)h->owner);
	control_stream_send(s, item);
	json_decref(item);
	return 0;
}

struct byhand *byhand_new(struct loop *loop, struct bgp_speaker *bgp)
{
	struct byhand *b = mem_new(struct byhand);

	b->bgp = bgp;
	b->last_owner = BYHAND_NETWORKS;
	list_init(&b->batches);
	list_init(&b->feeds);
	list_init(&b->holds);
	loop_task_init(&b->work, loop, work);
	return b;
}

struct byhand *byhand_free(struct byhand *b)
{
	struct batch *t;

	if (!b)
		return NULL;
	loop_task_cancel(&b->work);
	LIST_EACH (t, &b->batches, link) {
		batch_free(t);
	}
	free(b);
	return NULL;
}
