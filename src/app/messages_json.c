/* What people see of a peer's last messages. */
#include "app/json.h"
#include "app/sessions.h"
#include "bgp/describe.h"

static json_t *wire_json(struct rd wire)
{
	static const char digits[] = "0123456789abcdef";
	struct buf hex = { 0 };

	for (size_t i = 0; i < wire.left; i++) {
		const char two[] = { digits[wire.p[i] >> 4], digits[wire.p[i] & 15] };

		buf_append(&hex, two, sizeof(two));
	}
	json_t *text = json_string(buf_text(&hex));
	buf_fini(&hex);
	return text;
}

static json_t *message_json(const char *peer, const struct bgp_trace_entry *m)
{
	json_t *item = json_item(peer, m->sent ? "sent" : "received", m->first);
	struct buf text = { 0 };

	bgp_describe(m->wire, m->len, &text);
	json_set_text(item, "type", bgp_describe_type(m->wire));
	json_set_u64(item, "length-bytes", m->len);
	json_set_u64(item, "count", m->count);
	if (m->count > 1)
		json_set_text(item, "last", JSON_TIME(m->last));
	json_set_text(item, "text", buf_text(&text));
	json_object_set_new(item, "wire", wire_json(m->wire));
	buf_fini(&text);
	return item;
}

static json_t *end_json(const struct addr *a, uint16_t port)
{
	char text[ADDR_PORT_TEXT_MAX];

	return json_string(addr_port_format(a, port, text));
}

int sessions_messages(const struct sessions *s, const char *peer, json_t **data, struct err *e)
{
	struct bgp_peer_status st;
	struct bgp_trace_entry m;

	if (!bgp_speaker_find(s->bgp, peer, &st))
		return err_set(e, ERR_NOT_FOUND, "there is no peer '%.60s' on this node", peer);
	json_t *items = json_array();
	for (size_t at = 0; bgp_speaker_message_next(s->bgp, peer, &at, &m);)
		json_array_append_new(items, message_json(peer, &m));
	*data = json_pack("{s:o, s:o}", "address", end_json(&st.addr, st.port), "items", items);
	if (addr_is_set(&st.local))
		json_object_set_new(*data, "local-address", end_json(&st.local, st.local_port));
	return 0;
}
