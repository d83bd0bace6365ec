#include "net/libpcap.h"

#include <threads.h>

#include "base/library.h"

/* X(result, name, parameters, arguments) */
#define CALLS(X)                                                                          \
	X(pcap_t *, pcap_open_dead, (int type, int len), (type, len))                     \
	X(void, pcap_close, (pcap_t * p), (p))                                            \
	X(char *, pcap_geterr, (pcap_t * p), (p))                                         \
	X(int, pcap_compile,                                                              \
	  (pcap_t * p, struct bpf_program * out, const char *text, int optimise,          \
	   bpf_u_int32 mask),                                                             \
	  (p, out, text, optimise, mask))                                                 \
	X(void, pcap_freecode, (struct bpf_program * program), (program))                 \
	X(u_int, bpf_filter,                                                              \
	  (const struct bpf_insn *insns, const u_char *frame, u_int wire_len, u_int len), \
	  (insns, frame, wire_len, len))

#define FIELD(result, name, ...) __typeof__(name) *name;
static struct {
	CALLS(FIELD)
} lib;
#undef FIELD

/* What came of loading it. */
static int status;
static struct err why;

static void load(void)
{
#define ROW(result, name, ...) { #name, &lib.name },
	static const struct library_call calls[] = { CALLS(ROW) };
#undef ROW

	status = library_load(PCAP_SONAME, calls, ARRAY_LEN(calls), &why);
}

int libpcap_load(struct err *e)
{
	static once_flag once = ONCE_FLAG_INIT;

	call_once(&once, load);
	return status < 0 ? err_set(e, why.kind, "%s", why.text) : 0;
}

#define PASS_ON(result, name, parameters, arguments) \
	result name parameters                       \
	{                                            \
		return lib.name arguments;           \
	}
CALLS(PASS_ON)
