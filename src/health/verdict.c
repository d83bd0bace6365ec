#include "health/verdict.h"

/* Counts in a row stop at their maximum: a service may be watched for years. */
static uint32_t one_more(uint32_t n)
{
	return n == UINT32_MAX ? n : n + 1;
}

bool health_verdict_take(struct health_verdict *v, bool good)
{
	bool was = v->healthy;

	v->good = good ? one_more(v->good) : 0;
	v->bad = good ? 0 : one_more(v->bad);
	if (v->good >= v->rise)
		v->healthy = true;
	if (v->bad >= v->fall)
		v->healthy = false;
	return v->healthy != was;
}
