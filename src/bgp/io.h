/**
 * One TCP connection of a peer: non-blocking, with bounded buffers on both sides, and its end: what was written
 * before a close still reaches a peer that reads.
 *
 * Two things wait to be written: a batch of UPDATEs, shared with other peers, and messages of the session itself,
 * which go first, at the next end of a message.
 *
 * Driven by peer.c on the control loop. Knows nothing of BGP but where a message ends.
 */
#ifndef BGP_IO_H
#define BGP_IO_H

#include "base/bytes.h"
#include "base/list.h"
#include "base/loop.h"
#include "bgp/writer.h"
#include "net/tcp.h"

/** Valid-empty: fd -1. */
struct bgp_conn {
	struct loop_io io;
	int fd;
	bool connecting;
	uint8_t *rx; /* only while part of a message waits */
	size_t rx_cap;
	size_t rx_at;
	size_t rx_len; /* bytes from rx_at on */
	uint8_t *tx;   /* the session's own messages; only while something waits */
	size_t tx_at;
	size_t tx_len;
	struct bgp_batch *batch; /* or NULL */
	size_t batch_at;
	size_t batch_end;
	size_t message_end; /* a boundary in the batch, at or before the first one that is not behind batch_at */
};

void bgp_conn_init(struct bgp_conn *c, struct loop *l, void (*ready)(struct loop_io *, unsigned));

/** Begin to connect; ready() tells when bgp_conn_finish() knows more. */
NODISCARD int bgp_conn_open(struct bgp_conn *c, const struct tcp_conf *conf, struct err *e);
/** The connect's outcome and our own end. */
NODISCARD int bgp_conn_finish(struct bgp_conn *c, struct tcp_end *local, struct err *e);
/** Take a connection that was accepted; @local gets our own end. After a failure it has to be closed. */
NODISCARD int bgp_conn_adopt(struct bgp_conn *c, int fd, const struct tcp_conf *conf,
			     struct tcp_end *local, struct err *e);
void bgp_conn_close(struct bgp_conn *c);

static inline bool bgp_conn_is_open(const struct bgp_conn *c)
{
	return c->fd >= 0;
}

/** Read once. Returns the number of bytes, 0 when there was nothing, or -kind when the stream ended or failed. */
NODISCARD int bgp_conn_read(struct bgp_conn *c, struct err *e);
/** The bytes that have arrived and were not consumed. */
struct rd bgp_conn_input(const struct bgp_conn *c);
void bgp_conn_consume(struct bgp_conn *c, size_t n);

/** Queue a message of the session; false when too much waits already. */
bool bgp_conn_say(struct bgp_conn *c, const void *bytes, size_t len);
/** Hand over the next batch, with its reference; there must be none. */
void bgp_conn_batch(struct bgp_conn *c, struct bgp_batch *b);
/** Bytes that wait. */
size_t bgp_conn_waiting(const struct bgp_conn *c);
/** Write what waits. Returns the number of bytes that the kernel took, or -kind. */
NODISCARD long bgp_conn_write(struct bgp_conn *c, struct err *e);
/** Watch for input, and for room while something waits or @more is to come. */
void bgp_conn_watch(struct bgp_conn *c, bool more);

/**
 * Closing politely: the session's last messages are written (the rest of a batch is not), our side is shut, and what the peer still sends is read and dropped
 * until it closes too or a second has passed. Otherwise the kernel would answer unread input with a reset, which
 * may destroy our NOTIFICATION before the peer has read it.
 */
struct bgp_linger {
	struct list link;
	struct bgp_conn conn;
	struct loop_timer timer;
	void (*done)(void *ctx); /* after the list has lost it; may be NULL */
	void *ctx;
};

/** Move an open connection into a new entry of @list; @c is empty afterwards. */
void bgp_linger_start(struct bgp_conn *c, struct list *list, void (*done)(void *), void *ctx);
/** Close all entries now, without calling done(). */
void bgp_linger_end_all(struct list *list);

#endif
