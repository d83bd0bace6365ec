#include "config/reread.h"

#include <string.h>

#include "base/map.h"
#include "config/kinds.h"
#include "config/outline.h"
#include "config/said.h"

/* What a file may hold (base/doc.h): a whole text that has more must not be read in parts. */
#define NODES_MAX 4000000

/** One of the long lists: its items begin at starts[0 … n), its objects are [first, first + n). */
struct kept_list {
	const uint32_t *starts;
	size_t n;
	size_t first;
};

struct kept_text {
	struct buf text;
	size_t n_nodes;
	struct kept_list lists[RETAIN_COUNT];
};

struct reread {
	struct arena *arena;
	struct map *texts; /* name -> struct kept_text */
	struct cfg_issues said;
};

struct reread *reread_new(void)
{
	struct reread *r = mem_new(struct reread);

	r->arena = arena_new();
	r->texts = map_new();
	return r;
}

struct reread *reread_free(struct reread *r)
{
	struct kept_text *k;
	const char *name;

	if (!r)
		return NULL;
	MAP_EACH (r->texts, name, k)
		buf_fini(&k->text);
	(void)name;
	map_free(r->texts);
	arena_free(r->arena);
	free(r);
	return NULL;
}

static bool is_kept(const void *ctx, const char *name)
{
	return map_get(((const struct reread *)ctx)->texts, name);
}

bool reread_say(struct reread *r, const struct cfg_report *report)
{
	return said_keep(report, is_kept, r, r->arena, &r->said);
}

const struct cfg_issues *reread_said(const struct reread *r)
{
	return &r->said;
}

/* --- what is left out --- */

/** [from, end_old) of the text before became [from, end_new). */
struct change {
	size_t from, end_old, end_new;
};

#define STRIDE 256 /* bytes that are compared at once, most of the way */

/* How many bytes two texts have in common from their begins; both have @most. */
static size_t same_front(const char *a, const char *b, size_t most)
{
	size_t n = 0;

	while (most - n >= STRIDE && memcmp(a + n, b + n, STRIDE) == 0)
		n += STRIDE;
	while (n < most && a[n] == b[n])
		n++;
	return n;
}

/* And in front of their ends. */
static size_t same_back(const char *a_end, const char *b_end, size_t most)
{
	size_t n = 0;

	while (most - n >= STRIDE && memcmp(a_end - n - STRIDE, b_end - n - STRIDE, STRIDE) == 0)
		n += STRIDE;
	while (n < most && a_end[-1 - (ptrdiff_t)n] == b_end[-1 - (ptrdiff_t)n])
		n++;
	return n;
}

static struct change change_of(const struct buf *before, const char *text, size_t len)
{
	struct change ch = { .from = same_front(before->p, text, MIN(before->len, len)) };
	size_t rest = MIN(before->len, len) - ch.from;
	size_t behind = same_back(before->p + before->len, text + len, rest);

	ch.end_old = before->len - behind;
	ch.end_new = len - behind;
	return ch;
}

/* How many items begin at @at or before it. */
static size_t items_until(const struct kept_list *list, size_t at)
{
	size_t low = 0, high = list->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (list->starts[mid] <= at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void cut(struct reading *r, size_t from, size_t end)
{
	size_t i = r->n_cuts++;

	for (; i > 0 && r->cuts[i - 1].at > from; i--)
		r->cuts[i] = r->cuts[i - 1];
	r->cuts[i].at = (uint32_t)from;
	r->cuts[i].len = (uint32_t)(end - from);
}

/*
 * In front of the change the item next to it is read, since what changed may continue it. Behind
 * it, an item has to begin later than where the change ends: so its line begins in what has not
 * changed.
 */
static void list_cut(struct reading *r, const struct kept_list *k, struct reading_list *list,
		     const struct change *ch)
{
	size_t until = items_until(k, ch->from), behind = items_until(k, ch->end_old);
	ptrdiff_t moved = (ptrdiff_t)ch->end_new - (ptrdiff_t)ch->end_old;

	if (until > 2) {
		list->head = until - 2;
		cut(r, k->starts[0], k->starts[list->head]);
	}
	if (behind + 1 < k->n) {
		list->tail = behind;
		list->end = k->n - 1;
		cut(r, (size_t)(k->starts[list->tail] + moved),
		    (size_t)(k->starts[list->end] + moved));
		list->last = (uint32_t)(k->starts[list->end] + moved);
	}
}

/* A place in the whole text, where something begins that was not cut, in the abridged one. */
static uint32_t into_abridged(const struct reading *r, uint32_t at)
{
	uint32_t gone = 0;

	for (size_t i = 0; i < r->n_cuts && r->cuts[i].at < at; i++)
		gone += r->cuts[i].len;
	return at - gone;
}

/* And back: what begins where something was cut stands behind that. */
static uint32_t into_whole(const struct reading *r, uint32_t at)
{
	for (size_t i = 0; i < r->n_cuts && r->cuts[i].at <= at; i++)
		at += r->cuts[i].len;
	return at;
}

/* What is read around the change. */
static void find_surroundings(struct reading *r, const struct change *ch)
{
	r->end = r->whole_len;
	for (size_t i = 0; i < r->n_cuts; i++) {
		size_t at = r->cuts[i].at, end = at + r->cuts[i].len;

		if (end <= ch->from)
			r->from = MAX(r->from, end);
		else
			r->end = MIN(r->end, at);
	}
	r->end_before = r->end + ch->end_old - ch->end_new;
}

static void abridge(struct reading *r)
{
	const struct change ch = change_of(&r->kept->text, r->whole, r->whole_len);
	size_t at = 0;

	for (size_t k = 0; k < RETAIN_COUNT; k++)
		list_cut(r, &r->kept->lists[k], &r->lists[k], &ch);
	find_surroundings(r, &ch);
	for (size_t i = 0; i < r->n_cuts; i++) {
		buf_append(&r->text, r->whole + at, r->cuts[i].at - at);
		at = r->cuts[i].at + r->cuts[i].len;
	}
	buf_append(&r->text, r->whole + at, r->whole_len - at);
}

/* --- one text --- */

void reading_init(struct reading *r, const struct loader *l, const char *name, const char *text,
		  size_t len, struct buf *given)
{
	const struct cfg *before = l->before;

	*r = (struct reading){ .name = name, .whole = text, .whole_len = len, .given = given };
	for (size_t k = 0; k < RETAIN_COUNT; k++)
		r->lists[k].loaded = retain_loaded(l, k);
	if (!before || !before->index || len > UINT32_MAX)
		return;
	r->kept = before->read ? map_get(before->read->texts, name) : NULL;
	if (r->kept)
		abridge(r);
}

void reading_fini(struct reading *r)
{
	buf_fini(&r->text);
	for (size_t k = 0; k < RETAIN_COUNT; k++)
		free(r->lists[k].starts);
}

const char *reading_text(const struct reading *r, size_t *len)
{
	*len = r->kept ? r->text.len : r->whole_len;
	return r->kept ? buf_text(&r->text) : r->whole;
}

/* The list of one kind, when it stands where retained items could. */
static const struct doc *list_of(const struct doc_file *f, enum retain_kind k)
{
	const struct doc *list = f->n_docs == 1 && !kind_is_object(f->docs[0])
					 ? doc_get(f->docs[0], retain_key(k))
					 : NULL;

	return list && list->kind == DOC_LIST && list->n_items ? list : NULL;
}

static void list_outline(struct reading_list *list, const struct doc_file *f, enum retain_kind k)
{
	const struct doc *doc = list_of(f, k);

	if (!doc)
		return;
	list->starts = mem_new_n(uint32_t, doc->n_items);
	if (outline_list(doc, list->starts))
		list->doc = doc;
}

static bool list_fits(const struct reading *r, const struct reading_list *list)
{
	if (!list->head && list->tail == list->end)
		return true;
	if (!list->doc)
		return false;
	return list->tail == list->end ||
	       list->starts[list->doc->n_items - 1] == into_abridged(r, list->last);
}

bool reading_parsed(struct reading *r, const struct doc_file *f)
{
	bool fits = true;

	for (size_t k = 0; k < RETAIN_COUNT; k++) {
		list_outline(&r->lists[k], f, k);
		fits = fits && list_fits(r, &r->lists[k]);
	}
	return fits && (!r->kept || f->n_nodes <= NODES_MAX - r->kept->n_nodes);
}

static void retained(struct reading *r, struct loader *l, enum retain_kind k, size_t from,
		     size_t end)
{
	size_t first = r->kept->lists[k].first;

	retain_load(l, k, first + from, first + end);
	r->lists[k].taken += end - from;
}

void reading_item(struct reading *r, struct loader *l, const struct doc *list, size_t i)
{
	for (size_t k = 0; r->kept && k < RETAIN_COUNT; k++) {
		const struct reading_list *of = &r->lists[k];

		if (of->doc != list)
			continue;
		if (i == 0)
			retained(r, l, k, 0, of->head);
		if (i + 1 == list->n_items)
			retained(r, l, k, of->tail, of->end);
	}
}

/* --- remembering --- */

static size_t list_count(const struct reading_list *list)
{
	return list->head + (list->doc ? list->doc->n_items : 0) + list->end - list->tail;
}

static void list_keep(const struct reading *r, const struct reading_list *list,
		      const struct kept_list *old, struct arena *arena, struct kept_list *out)
{
	size_t n = list_count(list), n_read = list->doc->n_items, at = list->head;
	uint32_t *starts = arena_new_n(arena, uint32_t, n);

	if (list->head)
		memcpy(starts, old->starts, list->head * sizeof(*starts));
	for (size_t i = 0; i < n_read; i++) {
		if (i + 1 == n_read) /* behind those retained */
			for (size_t j = list->tail; j < list->end; j++)
				starts[at++] = old->starts[j] + list->last - old->starts[list->end];
		starts[at++] = into_whole(r, list->starts[i]);
	}
	*out = (struct kept_list){ .starts = starts, .n = n, .first = list->loaded };
}

static void keep(struct reading *r, const struct doc_file *f, struct reread *in)
{
	static const struct kept_list none;
	struct kept_text *k = arena_new_of(in->arena, struct kept_text);
	bool any = false;

	for (size_t i = 0; i < RETAIN_COUNT; i++) {
		const struct reading_list *list = &r->lists[i];

		if (!list->doc)
			continue;
		list_keep(r, list, r->kept ? &r->kept->lists[i] : &none, in->arena, &k->lists[i]);
		any = true;
	}
	if (!any)
		return;
	k->n_nodes = f->n_nodes + (r->kept ? r->kept->n_nodes : 0);
	if (map_get(in->texts, r->name))
		return; /* read twice: everything in it is, which is an error */
	if (r->given)
		k->text = *r->given, *r->given = (struct buf){ 0 };
	else
		buf_append(&k->text, r->whole, r->whole_len);
	(void)map_put(in->texts, r->name, k);
}

/* Lines that end otherwise, and marks of the byte order, are not counted as outlines do. */
static bool is_plain(const struct reading *r, const struct doc_file *f)
{
	return r->whole_len >= REREAD_MIN && r->whole_len <= UINT32_MAX && !f->has_anchors &&
	       (unsigned char)r->whole[0] != 0xef && !memchr(r->whole, '\r', r->whole_len);
}

/* The last line may have no end. */
static uint32_t end_line(const char *text, size_t at, size_t len)
{
	return at == len ? UINT32_MAX : said_line_at(text, at);
}

/* Where lines of it are, for those who have said something of them. */
static void tell_lines(const struct reading *r, struct loader *l)
{
	mem_grow(l->lines, l->n_lines, l->cap_lines);
	struct said_lines *s = &l->lines[l->n_lines++];

	*s = (struct said_lines){
		.name = arena_strdup(l->issues.arena, r->name),
		.from = said_line_at(r->whole, r->from),
		.end_before = end_line(r->kept->text.p, r->end_before, r->kept->text.len),
		.end = end_line(r->whole, r->end, r->whole_len),
		.n_cuts = r->n_cuts,
	};
	for (size_t i = 0; i < r->n_cuts; i++) {
		s->cuts[i].at = said_line_at(r->whole, r->cuts[i].at);
		s->cuts[i].n = said_line_at(r->whole + r->cuts[i].at, r->cuts[i].len) - 1;
	}
}

bool reading_loaded(struct reading *r, struct loader *l, const struct doc_file *f,
		    struct reread *keep_in)
{
	for (size_t k = 0; k < RETAIN_COUNT; k++) {
		const struct reading_list *list = &r->lists[k];

		if (list->taken != list->head + list->end - list->tail ||
		    (list->doc && retain_loaded(l, k) - list->loaded != list_count(list)))
			return false;
	}
	bool plain = is_plain(r, f);
	if (r->kept && plain && reread_said(l->before->read)->n)
		tell_lines(r, l);
	if (keep_in && plain)
		keep(r, f, keep_in);
	return true;
}
