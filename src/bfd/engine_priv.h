/* What the engine's files share: a session with all that belongs to it, and the engine itself. */
#ifndef BFD_ENGINE_PRIV_H
#define BFD_ENGINE_PRIV_H

#include "base/list.h"
#include "base/map.h"
#include "bfd/echo_io.h"
#include "bfd/engine.h"
#include "bfd/io.h"
#include "bfd/queue.h"
#include "bfd/tx.h"

/** A session with its sender and its deadline. */
struct conn {
	struct bfd_engine *engine;
	struct list link;
	struct conn *same_peer; /* the next one in by_peer */
	struct bfd_due due;	/* not later than the session's deadline */
	struct bfd_target target;
	struct bfd_session session;
	struct bfd_echo echo;
	struct bfd_path path;
	struct bfd_sender sender;
	struct mono sender_checked;
	uint32_t paced_us;	/* the interval that the last deadline came from */
	uint64_t generation;	/* of the last table that named it */
	struct mono rx_last;	/* 0: none since it is up */
	struct dur rx_last_gap; /* 0: none yet */
	struct mono read_last;	/* when the last one came that we read ourselves */
	bool half_up;		/* counted in the engine's n_half_up */
	bool leaving;
	unsigned goodbyes_left;
	struct dur goodbye_gap;
	struct bfd_pkt last;	   /* sent */
	struct bfd_auth *own_auth; /* of one that leaves: the table's may be gone by then */
	struct fast_note note;	   /* what the kernel notes; open from the first time on */
	bool noting;
	unsigned repeated; /* so many times in a row: */
	uint8_t packet[FAST_NOTE_LEN];
	struct addr packet_to;
	uint64_t noted; /* of the kernel's count, as far as it has been seen */
};

struct bfd_engine {
	struct bfd_engine_conf conf;
	struct bfd_io io;
	struct bfd_tx tx;
	struct bfd_echo_io echo_io;
	struct rng rng;
	const struct bfd_table *table;
	uint64_t generation;
	struct list conns;
	struct list leaving;
	size_t n_conns; /* both */
	int n_half_up;	/* sessions in state Init */
	struct map *by_id;
	struct map *by_disc;
	struct map *by_peer;
	struct bfd_queue queue;
	struct loop_timer alarm;    /* the first of the queue */
	struct loop_task turn_end;  /* what was collected goes out */
	struct bfd_company company; /* of this turn */
	struct dur ahead;	    /* how long before its time a packet may leave */
	bool pace_stale;	    /* an interval has changed: `ahead` and the pause in io too */
	struct loop_timer retry;
	struct bfd_counters counters;
};

#define LOAD(field)	    atomic_load_explicit(&(field), memory_order_relaxed)
#define STORE(field, value) atomic_store_explicit(&(field), (value), memory_order_relaxed)

/* run.c */

/** True when the sender is open. */
bool conn_open(struct conn *c);
/** Send the last packet once more. */
void conn_send_again(struct conn *c);
void conn_publish(struct conn *c);
/** Do what the session asks for; its deadline goes into the queue. */
void conn_flush(struct conn *c, struct mono now);
/** The next deadline of a session that is leaving. */
void conn_await(struct conn *c, struct mono at);
/** Run what is due, until the turn has taken long enough. */
void engine_run(struct bfd_engine *e, struct mono now);
/** Send what was collected, and wait for what is next. */
void engine_end_turn(struct bfd_engine *e);
/** Each packet's outcome. */
void engine_sent(void *owner, int error);

/* receive.c */

/** A datagram from io. */
void engine_received(void *ctx, const struct bfd_rx *rx);
/** How regularly the peer's packets come, while the session is up: one came at @at. */
void conn_measure_gap(struct conn *c, struct mono at);
/** Several came, the last one at @at: there is no telling when the others did. */
void conn_skip_gap(struct conn *c, struct mono at);

/* noting.c */

/** A packet was accepted: let the kernel note the next ones, or not any more. */
void conn_note_received(struct conn *c, const struct bfd_rx *rx);
/** What the kernel has noted since the last time counts as received. */
void conn_note_read(struct conn *c);
/** Packets reach us again. */
void conn_note_end(struct conn *c);
/** For good. */
void conn_note_close(struct conn *c);

/* The index of sessions by peer. */
struct bfd_peer_key {
	struct addr addr; /* no padding: the key's bytes are compared */
	uint8_t multihop;
};

static inline struct bfd_peer_key key_of(const struct addr *peer, bool multihop)
{
	return (struct bfd_peer_key){ .addr = *peer, .multihop = multihop };
}

/* engine.c */

void conn_free(struct conn *c);

/* echoing.c */

/** Switch its echo function on or off, by what both sides say now. */
void conn_echo_update(struct conn *c, struct mono now);
/** Send, or fail, if it is due. */
void conn_echo_run(struct conn *c, struct mono now);
/** The earlier one of the session's and its echo's. */
struct mono conn_deadline(const struct conn *c);
void engine_echo_received(void *ctx, const struct bfd_echo_frame *f);

#endif
