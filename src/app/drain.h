/**
 * Drained: nothing is announced from this node, by the wish of a person, until undrained or restarted.
 *
 *   NO ──drain──▶ MOVING ──routes' time is over──▶ LAST WORDS ──▶ DONE
 *    ▲               │ Layer 2 is handed over,        withdrawals       │ sessions are closed
 *    │               │ routes say GRACEFUL_SHUTDOWN   leave             │
 *    └──────────────────────── undrain, from each ──────────────────────┘
 */
#ifndef APP_DRAIN_H
#define APP_DRAIN_H

#include "base/loop.h"
#include "control/server.h"

enum drain_state { DRAIN_NO, DRAIN_MOVING, DRAIN_LAST_WORDS, DRAIN_DONE };

struct drain {
	enum drain_state state;
	struct mono since;
	struct loop_timer next;
	struct control_stream *asked; /* who waits for the end, or NULL */
};

#endif
