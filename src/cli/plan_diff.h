/**
 * What a new configuration would change, as tables for people.
 */
#ifndef CLI_PLAN_DIFF_H
#define CLI_PLAN_DIFF_H

#include <jansson.h>

/** @difference: of plan_compare(), perhaps with "refused": why a daemon would not follow. */
void cli_print_plan_diff(const json_t *difference);

#endif
