/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * For which task of asyncio a thread works that runs no loop. That stands in the frames of Python
 * functions that the thread is in.
 *
 * A loop hands work to a thread together with a future, which the thread sets and a task awaits:
 * anyio's threads keep it in a variable of their outermost functions, those of
 * concurrent.futures keep what they work on there, with a future to which asyncio has chained its
 * own. These functions run as long as the thread lives, so that the variable is looked for once.
 */
#ifndef SPANDREL_PYTHON_FRAMES_BPF_H
#define SPANDREL_PYTHON_FRAMES_BPF_H

#define PY_FRAMES_MAX 256  /* on a thread; beyond, nothing is told */
#define PY_OUTER_FRAMES 8  /* of them are looked through for what the thread works on */
#define PY_LOCALS_MAX 8    /* variables of each, the first ones */
#define PY_FUTURE_ATTRIBUTE 0    /* of what a pool's thread works on */
#define PY_CALLBACKS_ATTRIBUTE 5 /* of a future of concurrent.futures */
#define PY_JOB_LOOKS 8     /* at sends of a thread; then one in so many more */
#define PY_JOB_LOOKS_MASK 63
#define PY_OWNED_BY_C 3    /* frames that stand for calls from C */

static __always_inline bool stands_for_c(const struct python_layout *python, __u64 frame)
{
	__u8 owner = 0;

	if (!python->frames_of_c)
		return false;
	bpf_probe_read_user(&owner, sizeof(owner), (void *)(frame + python->locals_at - 2));
	return owner == PY_OWNED_BY_C;
}

static __always_inline __u64 innermost_frame(const struct python_layout *python, __u64 state)
{
	__u64 frame = read_word(state + python->frame_at);

	return python->frame_held && frame ? read_word(frame + python->frame_held_at) : frame;
}

struct frame_count {
	__u64 outermost; /* 0 where there are too many */
	__u64 frames;
};

__noinline int count_frames(const struct python_layout *python, __u64 state,
			    struct frame_count *count)
{
	__u64 frame;

	if (!python || !count)
		return 0;
	frame = innermost_frame(python, state);
	for (int i = 0; i < PY_FRAMES_MAX && frame; i++) {
		if (!stands_for_c(python, frame)) {
			count->outermost = frame;
			count->frames++;
		}
		frame = read_word(frame + python->previous_at);
	}
	if (frame)
		count->outermost = 0;
	return 0;
}

/* The state of the current thread, which is looked for once. */
static __always_inline __u64 python_state(struct python_thread *known,
					  const struct python_layout *python, __u64 pointer)
{
	if (!known->state || read_word(known->state + python->thread_id_at) != pointer)
		known->state = find_python_thread(python, pointer);
	return known->state;
}

/* The future of asyncio that is set with what a thread works on; 0 where a variable holds none. */
__noinline __u64 awaited_job(const struct python_layout *python, __u64 variable)
{
	__u64 object = read_word(variable), values, list, items;

	if (!python || !object)
		return 0;
	if (kind_of(python, object) == PY_FUTURE)
		return object;
	values = attributes_of(python, object);
	object = values ? read_word(values + PY_FUTURE_ATTRIBUTE * 8) : 0;
	values = object ? attributes_of(python, object) : 0;
	list = values ? read_word(values + PY_CALLBACKS_ATTRIBUTE * 8) : 0;
	if (!list || !read_word(list + PY_SIZE_AT))
		return 0;
	items = read_word(list + PY_ITEMS_AT);
	object = items ? read_word(items) : 0;
	object = object ? woken_by(python, object, 0) : 0;
	return object && kind_of(python, object) == PY_FUTURE ? object : 0;
}

/* The variable of a function that holds what its thread works on; 0 = none. */
__noinline __u64 job_of_frame(const struct python_layout *python, __u64 frame)
{
	__u64 variable;

	if (!python)
		return 0;
	for (int i = 0; i < PY_LOCALS_MAX; i++) {
		variable = frame + python->locals_at + 8 * i;
		if (awaited_job(python, variable))
			return variable;
	}
	return 0;
}

/* The same of the outermost functions that a thread is in. */
__noinline __u64 find_job(const struct python_layout *python, __u64 state)
{
	struct frame_count count = {};
	__u64 frame, variable, found = 0;

	if (!python)
		return 0;
	count_frames(python, state, &count);
	frame = count.outermost ? innermost_frame(python, state) : 0;
	for (int i = 0; i < PY_FRAMES_MAX && frame; i++) {
		if (!stands_for_c(python, frame) && count.frames-- <= PY_OUTER_FRAMES) {
			variable = job_of_frame(python, frame);
			if (variable)
				found = variable;
		}
		frame = read_word(frame + python->previous_at);
	}
	return found;
}

/* The task that awaits what the thread works on, where it runs no loop itself; 0 = none. */
__noinline __u64 task_of_job(struct thread_state *thread, const struct python_layout *python,
			     __u64 pointer)
{
	__u64 state, job;

	if (!thread || !python)
		return 0;
	state = python_state(&thread->python, python, pointer);
	if (!state)
		return 0;
	if (!thread->python.job) {
		if (thread->python.job_looks++ >= PY_JOB_LOOKS &&
		    (thread->python.job_looks & PY_JOB_LOOKS_MASK))
			return 0;
		thread->python.job = find_job(python, state);
	}
	job = thread->python.job ? awaited_job(python, thread->python.job) : 0;
	return job ? awaiter_of(python, job) : 0;
}

#endif
