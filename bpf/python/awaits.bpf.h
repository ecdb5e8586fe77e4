/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which task of asyncio awaits another one, by what is to be woken when that is done.
 *
 * Between the two there are futures: those of gather, wait, wait_for and shield. Whom a callback
 * wakes stands in the object, the closure or the arguments of that callback.
 */
#ifndef SPANDREL_PYTHON_AWAITS_BPF_H
#define SPANDREL_PYTHON_AWAITS_BPF_H

#define PY_SIZE_OF_OBJECT_AT 32 /* in types */
#define PY_ITEMS_AT 24     /* in tuples the items themselves, in lists where they are */
#define PY_CELL_AT 16
#define PY_CALLBACK_AT 24  /* in futures: the first one to be told when it is done */
#define PY_CALLBACKS_AT 40 /* in futures: list of all others, each a tuple that begins with it */
#define PY_WAKES_MAX 3     /* callbacks of a future that are looked at */
#define PY_LOOKS 6         /* the same, of all futures between a task and who awaits it */
#define PY_VALUES_MAX 12   /* values of a closure, or arguments */
#define PY_ATTRIBUTES_MAX 8 /* of an object: the first ones that it was given */

enum python_kind {
	PY_OTHER = 0,
	PY_TASK = 1,
	PY_FUTURE = 2,
};

static __always_inline enum python_kind kind_of(const struct python_layout *python, __u64 object)
{
	__u64 type = object ? read_word(object + PY_TYPE_AT) : 0;

	for (int i = 0; i < 3 && type; i++) {
		if (type == python->task_type)
			return PY_TASK;
		if (type == python->future_type)
			return PY_FUTURE;
		type = read_word(type + PY_BASE_AT);
	}
	return PY_OTHER;
}

/* Of so many objects the first that is a task or a future, and not `self`. */
static __always_inline __u64 first_to_wake(const struct python_layout *python, __u64 values,
					   __u64 count, bool in_cells, __u64 self)
{
	__u64 object;

	for (int i = 0; i < PY_VALUES_MAX && i < count; i++) {
		object = read_word(values + i * 8);
		if (in_cells && object)
			object = read_word(object + PY_CELL_AT);
		if (object && object != self && kind_of(python, object) != PY_OTHER)
			return object;
	}
	return 0;
}

/* Where an object keeps its attributes, as long as no __dict__ was made of them; else 0. */
static __always_inline __u64 attributes_of(const struct python_layout *python, __u64 object)
{
	__u64 values;

	switch (python->attributes) {
	case PYTHON_ATTRIBUTES_BEFORE:
		return read_word(object - 32);
	case PYTHON_ATTRIBUTES_TAGGED:
		values = read_word(object - 24);
		return values & 1 ? values + 1 : 0;
	case PYTHON_ATTRIBUTES_BEHIND:
		values = read_word(object + PY_TYPE_AT);
		return object + (values ? read_word(values + PY_SIZE_OF_OBJECT_AT) : 0) + 8;
	}
	return 0;
}

/*
 * What a callback wakes, a task or a future: asyncio's own hold it as their object, those of
 * gather, wait and shield in their closure, wait_for's as an argument, a TaskGroup's as attribute.
 */
static __always_inline __u64 woken_by(const struct python_layout *python, __u64 callback,
				      __u64 self)
{
	__u64 words[4], values, count = PY_ATTRIBUTES_MAX;
	bool in_cells;

	if (bpf_probe_read_user(words, sizeof(words), (void *)callback))
		return 0;
	in_cells = words[1] == python->function_type;
	if (in_cells || words[1] == python->partial_type) {
		values = in_cells ? read_word(callback + python->closure_at) : words[3];
		count = values ? read_word(values + PY_SIZE_AT) : 0;
		values += PY_ITEMS_AT;
	} else {
		/* Before 3.10 it ends here: then what stands behind is another object. */
		if (kind_of(python, words[2]) == PY_TASK)
			return words[2] != self ? words[2] : 0;
		if (kind_of(python, words[3]) != PY_OTHER)
			return words[3] != self ? words[3] : 0;
		if (words[1] != python->method_type || !words[3])
			return 0;
		values = attributes_of(python, words[3]);
		if (!values)
			return 0;
	}
	return first_to_wake(python, values, count, in_cells, self);
}

/* The i-th callback of a future. */
static __always_inline __u64 callback_of(__u64 future, int i)
{
	__u64 list, items;

	if (i == 0)
		return read_word(future + PY_CALLBACK_AT);
	list = read_word(future + PY_CALLBACKS_AT);
	if (!list || read_word(list + PY_SIZE_AT) < i)
		return 0;
	items = read_word(list + PY_ITEMS_AT);
	items = items ? read_word(items + (i - 1) * 8) : 0;
	return items ? read_word(items + PY_ITEMS_AT) : 0;
}

/* The task that awaits this one; 0 when none does, or none that can be told. */
__noinline __u64 awaiter_of(const struct python_layout *python, __u64 task)
{
	__u64 future = task, callback, woken;

	if (!python)
		return 0;
	for (int i = 0, nth = 0; i < PY_LOOKS; i++) {
		callback = callback_of(future, nth);
		woken = callback ? woken_by(python, callback, task) : 0;
		if (!woken) {
			if (!callback || ++nth == PY_WAKES_MAX)
				return 0;
			continue;
		}
		if (is_task(python, woken))
			return woken;
		future = woken;
		nth = 0;
	}
	return 0;
}

#endif
