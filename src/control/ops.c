#include "control/ops.h"

#include <string.h>

#include "base/text.h"

static const char *nearest(const struct control_ops *ops, const char *name)
{
	CLEANUP(mem_freep) const char **names = mem_new_n(const char *, ops->n);

	for (size_t i = 0; i < ops->n; i++)
		names[i] = ops->v[i].name;
	return text_nearest(name, names, ops->n);
}

const struct control_op *control_op_find(const struct control_ops *ops, const char *name,
					 struct err *e)
{
	for (size_t i = 0; i < ops->n; i++) {
		if (strcmp(ops->v[i].name, name) == 0)
			return &ops->v[i];
	}
	const char *near = nearest(ops, name);
	if (near)
		err_set(e, ERR_PROTOCOL, "there is no operation '%.64s'; did you mean '%s'?", name,
			near);
	else
		err_set(e, ERR_PROTOCOL, "there is no operation '%.64s'", name);
	return NULL;
}

int control_op_run(const struct control_ops *ops, const struct control_op *op, const json_t *args,
		   json_t **data, struct err *e)
{
	*data = NULL;
	int rc = op->run(ops->ctx, args, data, e);
	if (rc == 0 && !*data)
		*data = json_null();
	return rc;
}
