#include "control/microhttpd.h"

#include "base/library.h"

/* X(result, name, parameters, arguments) */
#define CALLS(X)                                                                                  \
	X(struct MHD_Daemon *, MHD_start_daemon_va,                                               \
	  (unsigned flags, uint16_t port, MHD_AcceptPolicyCallback accept, void *accept_ctx,      \
	   MHD_AccessHandlerCallback handle, void *ctx, va_list ap),                              \
	  (flags, port, accept, accept_ctx, handle, ctx, ap))                                     \
	X(void, MHD_stop_daemon, (struct MHD_Daemon * d), (d))                                    \
	X(enum MHD_Result, MHD_run, (struct MHD_Daemon * d), (d))                                 \
	X(enum MHD_Result, MHD_get_timeout, (struct MHD_Daemon * d, MHD_UNSIGNED_LONG_LONG * ms), \
	  (d, ms))                                                                                \
	X(int, MHD_get_connection_values,                                                         \
	  (struct MHD_Connection * c, enum MHD_ValueKind kind, MHD_KeyValueIterator each,         \
	   void *ctx),                                                                            \
	  (c, kind, each, ctx))                                                                   \
	X(struct MHD_Response *, MHD_create_response_from_buffer,                                 \
	  (size_t len, void *bytes, enum MHD_ResponseMemoryMode mode), (len, bytes, mode))        \
	X(enum MHD_Result, MHD_add_response_header,                                               \
	  (struct MHD_Response * r, const char *name, const char *value), (r, name, value))       \
	X(enum MHD_Result, MHD_queue_response,                                                    \
	  (struct MHD_Connection * c, unsigned status, struct MHD_Response *r), (c, status, r))   \
	X(void, MHD_destroy_response, (struct MHD_Response * r), (r))

#define FIELD(result, name, ...) __typeof__(name) *name;
static struct {
	CALLS(FIELD)
	FIELD(, MHD_get_daemon_info)
} lib;
#undef FIELD

int microhttpd_load(struct err *e)
{
#define ROW(result, name, ...) { #name, &lib.name },
	static const struct library_call calls[] = { CALLS(ROW) ROW(, MHD_get_daemon_info) };
#undef ROW

	return lib.MHD_run ? 0 : library_load(MICROHTTPD_SONAME, calls, ARRAY_LEN(calls), e);
}

#define PASS_ON(result, name, parameters, arguments) \
	result name parameters                       \
	{                                            \
		return lib.name arguments;           \
	}
CALLS(PASS_ON)

struct MHD_Daemon *MHD_start_daemon(unsigned flags, uint16_t port, MHD_AcceptPolicyCallback accept,
				    void *accept_ctx, MHD_AccessHandlerCallback handle, void *ctx,
				    ...)
{
	va_list ap;

	va_start(ap, ctx);
	struct MHD_Daemon *d =
		MHD_start_daemon_va(flags, port, accept, accept_ctx, handle, ctx, ap);
	va_end(ap);
	return d;
}

/* Nothing that we ask for takes more arguments. */
const union MHD_DaemonInfo *MHD_get_daemon_info(struct MHD_Daemon *d, enum MHD_DaemonInfoType what,
						...)
{
	return lib.MHD_get_daemon_info(d, what);
}
