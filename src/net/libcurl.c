/* libcurl's functions, passed on to the library once it is loaded: see base/library.h. */
#include "net/libcurl.h"

#include "base/library.h"
#include "net/curl.h"

/* Newer headers promise not to change what is read. */
typedef __typeof__(_Generic(&curl_url_get,
			    CURLUcode (*)(const CURLU *, CURLUPart, char **, unsigned)
			    : (const CURLU *)NULL, default
			    : (CURLU *)NULL)) url_read;

/* X(result, name, parameters, arguments): those that take what they say. */
#define CALLS(X)                                                                                  \
	X(CURLcode, curl_global_init, (long flags), (flags))                                      \
	X(void, curl_global_cleanup, (void), ())                                                  \
	X(const char *, curl_easy_strerror, (CURLcode code), (code))                              \
	X(CURL *, curl_easy_init, (void), ())                                                     \
	X(void, curl_easy_cleanup, (CURL * easy), (easy))                                         \
	X(struct curl_slist *, curl_slist_append, (struct curl_slist * l, const char *s), (l, s)) \
	X(void, curl_slist_free_all, (struct curl_slist * l), (l))                                \
	X(CURLU *, curl_url, (void), ())                                                          \
	X(void, curl_url_cleanup, (CURLU * u), (u))                                               \
	X(CURLUcode, curl_url_get, (url_read u, CURLUPart part, char **out, unsigned flags),      \
	  (u, part, out, flags))                                                                  \
	X(CURLUcode, curl_url_set, (CURLU * u, CURLUPart part, const char *text, unsigned flags), \
	  (u, part, text, flags))                                                                 \
	X(void, curl_free, (void *p), (p))                                                        \
	X(CURLM *, curl_multi_init, (void), ())                                                   \
	X(CURLMcode, curl_multi_cleanup, (CURLM * m), (m))                                        \
	X(CURLMcode, curl_multi_add_handle, (CURLM * m, CURL * easy), (m, easy))                  \
	X(CURLMcode, curl_multi_remove_handle, (CURLM * m, CURL * easy), (m, easy))               \
	X(CURLMcode, curl_multi_assign, (CURLM * m, curl_socket_t s, void *p), (m, s, p))         \
	X(CURLMcode, curl_multi_socket_action,                                                    \
	  (CURLM * m, curl_socket_t s, int events, int *running), (m, s, events, running))        \
	X(CURLMsg *, curl_multi_info_read, (CURLM * m, int *left), (m, left))

/* Those that take one more argument, of a type that goes by the option. */
#define OPTION_CALLS(X)                                                          \
	X(CURLcode, curl_easy_setopt, CURL *, CURLoption, CURLOPTTYPE_OFF_T)     \
	X(CURLMcode, curl_multi_setopt, CURLM *, CURLMoption, CURLOPTTYPE_OFF_T) \
	X(CURLcode, curl_easy_getinfo, CURL *, CURLINFO, INT32_MAX)

#define FIELD(result, name, ...) __typeof__(name) *name;
static struct {
	CALLS(FIELD)
	OPTION_CALLS(FIELD)
} lib;
#undef FIELD

int libcurl_load(struct err *e)
{
#define ROW(result, name, ...) { #name, &lib.name },
	static const struct library_call calls[] = { CALLS(ROW) OPTION_CALLS(ROW) };
#undef ROW

	return lib.curl_global_init ? 0 : library_load(CURL_SONAME, calls, ARRAY_LEN(calls), e);
}

/* In parentheses, because the header has macros of some of these names. */
#define PASS_ON(result, name, parameters, arguments) \
	result(name) parameters                      \
	{                                            \
		return (lib.name)arguments;          \
	}
CALLS(PASS_ON)

/* A long is passed as a pointer is on every Linux; only the large numbers differ where these are short. */
#define PASS_OPTION_ON(result, name, handle, options, large)                                      \
	result(name)(handle on, options option, ...)                                              \
	{                                                                                         \
		bool is_large = (int)option / CURLOPTTYPE_OBJECTPOINT ==                          \
				(large) / CURLOPTTYPE_OBJECTPOINT;                                \
		va_list ap;                                                                       \
                                                                                                  \
		va_start(ap, option);                                                             \
		curl_off_t number = is_large ? va_arg(ap, curl_off_t) : 0;                        \
		void *other = is_large ? NULL : va_arg(ap, void *);                               \
		va_end(ap);                                                                       \
		return is_large ? (lib.name)(on, option, number) : (lib.name)(on, option, other); \
	}
OPTION_CALLS(PASS_OPTION_ON)
