/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which task of asyncio the current thread runs, and who awaits it.
 *
 * All of it is read: asyncio keeps a dict from each loop to the task that it runs, each thread
 * keeps the loop that it runs, and a task holds its name and whom it wakes when it is done. User
 * space tells where these are and how they are laid out. Another thread may change them meanwhile,
 * so what was found is looked at once more: it must be a task, of the loop of this thread.
 *
 * Functions that are not static are verified by themselves, once: inlined, or static, all their
 * loops together would be beyond what the verifier looks at.
 *
 * A task is numbered by its name, Task-1, Task-2 ...; one with a name of its own by its address.
 */
#ifndef SPANDREL_PYTHON_TASK_BPF_H
#define SPANDREL_PYTHON_TASK_BPF_H

#define PY_TYPE_AT 8       /* in every object */
#define PY_BASE_AT 256     /* in types: the type it was derived from */
#define PY_SIZE_AT 16      /* in tuples, lists and str */
#define PY_USED_AT 16      /* in dicts; the keys are two words on */
#define PY_DIGITS_AT 24    /* in int */
#define PY_NEXT_THREAD_AT 8
#define PY_HELD_LOOP_AT 16

#define PY_THREADS_MAX 64  /* threads of a process that are looked through for this one */
#define PY_ENTRIES_MAX 16  /* entries of a dict that are looked through */
#define PY_MEETINGS_MAX 4  /* sends of a task at which is looked for who awaits it */
#define PY_DIGITS_MAX 13
#define PY_BIRTHS_MAX 8    /* tasks started between two messages of a thread */
#define PY_UNNUMBERED (1ULL << 47)

struct python_entries {
	__u64 first;
	__u64 bytes; /* of an entry, which ends with key and value */
	__u64 count;
};

static __always_inline bool python_entries(struct python_entries *entries,
					   const struct python_layout *python, __u64 keys)
{
	__u64 head[5];

	if (bpf_probe_read_user(head, sizeof(head), (void *)keys))
		return false;
	if (python->small_keys) {
		entries->first = keys + 32 + (1ULL << (head[1] >> 8 & 31));
		entries->bytes = head[1] >> 16 & 0xff ? 16 : 24;
		entries->count = head[3];
	} else {
		entries->first = keys + 40 + (head[1] << (head[1] > 0xff) << (head[1] > 0xffff));
		entries->bytes = 24;
		entries->count = head[4];
	}
	return true;
}

static __always_inline __u64 find_python_thread(const struct python_layout *python, __u64 pointer)
{
	__u64 state = read_word(python->threads);

	for (int i = 0; i < PY_THREADS_MAX && state; i++) {
		if (read_word(state + python->thread_id_at) == pointer)
			return state;
		state = read_word(state + PY_NEXT_THREAD_AT);
	}
	return 0;
}

/* Where a thread keeps the loop that it runs, among the entries of its dict. */
static __always_inline __u64 find_loop_entry(const struct python_layout *python, __u64 keys)
{
	struct python_entries entries;
	__u64 key;

	if (!python_entries(&entries, python, keys))
		return 0;
	for (int i = 0; i < PY_ENTRIES_MAX && i < entries.count; i++) {
		key = entries.first + (i + 1) * entries.bytes - 16;
		if (read_word(key) == python->loop_key)
			return key;
	}
	return 0;
}

__noinline __u64 running_loop(struct thread_state *thread,
				     const struct python_layout *python, __u64 pointer)
{
	struct python_thread *known;
	__u64 dict, keys, entry[2] = {};

	if (!thread || !python)
		return 0;
	known = &thread->python;
	if (!known->state || read_word(known->state + python->thread_id_at) != pointer)
		known->state = find_python_thread(python, pointer);
	if (known->state && python->thread_loop_at)
		return read_word(known->state + python->thread_loop_at);
	dict = known->state ? read_word(known->state + python->thread_dict_at) : 0;
	keys = dict ? read_word(dict + PY_USED_AT + 16) : 0;
	if (!keys)
		return 0;
	if (keys != known->keys || !known->loop_entry) {
		known->keys = keys;
		known->loop_entry = find_loop_entry(python, keys);
	}
	if (!known->loop_entry)
		return 0;
	bpf_probe_read_user(entry, sizeof(entry), (void *)known->loop_entry);
	if (entry[0] != python->loop_key) {
		known->keys = 0;
		return 0;
	}
	return python->loop_held && entry[1] ? read_word(entry[1] + PY_HELD_LOOP_AT) : entry[1];
}

static __always_inline bool is_task(const struct python_layout *python, __u64 object)
{
	__u64 type = read_word(object + PY_TYPE_AT);

	return type == python->task_type || (type && read_word(type + PY_BASE_AT) ==
							     python->task_type);
}

/* The task that the thread runs now; 0 between tasks, and where no loop runs. */
__noinline __u64 current_task(struct thread_state *thread,
				     const struct python_layout *python, __u64 pointer)
{
	struct python_entries entries;
	__u64 dict[3], entry[2], loop;

	if (!thread || !python)
		return 0;
	if (bpf_probe_read_user(dict, sizeof(dict), (void *)(python->current_tasks + PY_USED_AT)))
		return 0;
	loop = dict[0] ? running_loop(thread, python, pointer) : 0;
	if (!loop || !python_entries(&entries, python, dict[2]))
		return 0;
	for (int i = 0; i < PY_ENTRIES_MAX && i < entries.count; i++) {
		__u64 at = entries.first + (entries.count - i) * entries.bytes - 16;

		if (bpf_probe_read_user(entry, sizeof(entry), (void *)at))
			return 0;
		if (entry[1] && entry[0] == loop)
			return is_task(python, entry[1]) ? entry[1] : 0;
	}
	return 0;
}

static __always_inline __u64 number_in_name(const char *text)
{
	__u64 number = 0;

	if (text[0] != 'T' || text[1] != 'a' || text[2] != 's' || text[3] != 'k' || text[4] != '-')
		return 0;
	for (int i = 5; i < 5 + PY_DIGITS_MAX && text[i]; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		number = number * 10 + (text[i] - '0');
	}
	return number;
}

/* The name is a str, or since 3.12 an int until somebody asks for it. */
__noinline __u64 number_of_task(const struct python_layout *python, __u64 task)
{
	__u64 name, number = 0;
	char text[24] = {};
	__u32 digits[2];

	if (!python)
		return 0;
	name = read_word(task + python->task_name_at);
	if (!name)
		return 0;
	if (read_word(name + PY_TYPE_AT) == python->text_type) {
		bpf_probe_read_user_str(text, sizeof(text), (void *)(name + python->text_at));
		number = number_in_name(text);
	} else if (!bpf_probe_read_user(digits, sizeof(digits), (void *)(name + PY_DIGITS_AT))) {
		number = digits[0];
		if (read_word(name + PY_SIZE_AT) >> 3 == 2)
			number |= (__u64)digits[1] << 30;
	}
	return number && number < PY_UNNUMBERED ? number : PY_UNNUMBERED | task >> 4;
}

#include "awaits.bpf.h"
#include "frames.bpf.h"

/* Says who awaits a task, and who awaits that, as far as it is known. */
static __always_inline void tell_awaiters(const struct python_layout *python,
					  struct task_struct *task, struct coroutine_key *key,
					  __u64 awaiter)
{
	struct coroutine_state *state;
	struct coroutine_event *e;

	e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		count_drop(DROP_RING_FULL);
		return;
	}
	fill_header(&e->header, sizeof(*e), EVENT_COROUTINE, bpf_ktime_get_boot_ns(), task, 0);
	for (int i = 0; i < COROUTINE_LINE; i++) {
		state = key->number ? bpf_map_lookup_elem(&coroutines, key) : NULL;
		e->line[i].coroutine = key->number;
		e->line[i].born_ns = state ? state->born_ns : 0;
		key->number = awaiter ? number_of_task(python, awaiter) : state ? state->parent : 0;
		awaiter = awaiter ? awaiter_of(python, awaiter) : 0;
	}
	e->object = 0;
	e->stream = 0;
	e->task = 0;
	bpf_ringbuf_submit(e, wakeup_flag());
}

static const struct coroutine_state new_coroutine;

/*
 * Tasks that were named since the thread's last message: if that was sent by a task, it has most
 * likely started them right after.
 */
__noinline int note_births(struct thread_state *thread, const struct python_layout *python,
			   __u64 sender)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct coroutine_state *state;
	struct python_thread *last;
	struct coroutine_key key;
	__u64 count;

	if (!thread || !python || !python->task_count)
		return 0;
	last = &thread->python;
	count = read_word(python->task_count);
	for (int i = 1; last->sender && i <= PY_BIRTHS_MAX; i++) {
		if (last->task_count + i > count)
			break;
		key_of(&key, task, last->task_count + i);
		bpf_map_update_elem(&coroutines, &key, &new_coroutine, BPF_NOEXIST);
		state = bpf_map_lookup_elem(&coroutines, &key);
		if (!state || state->parent)
			continue;
		state->parent = last->sender | COROUTINE_LIKELY;
		state->born_ns = last->sent_ns;
		state->receiver = task->pid;
	}
	last->task_count = count;
	last->sender = sender & PY_UNNUMBERED ? 0 : sender;
	last->sent_ns = bpf_ktime_get_boot_ns();
	return 0;
}

/*
 * A task without a known parent sends: perhaps it can be seen by now who awaits it. It runs on the
 * thread `tid`, or 0: another thread sends for it.
 */
__noinline int meet_task(const struct python_layout *python, __u64 address, __u64 number,
			 __u32 tid)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct coroutine_state *state;
	struct coroutine_key key;
	__u64 awaiter, likely;

	if (!python)
		return 0;
	key_of(&key, task, number);
	state = bpf_map_lookup_elem(&coroutines, &key);
	if (!state) {
		bpf_map_update_elem(&coroutines, &key, &new_coroutine, BPF_NOEXIST);
		state = bpf_map_lookup_elem(&coroutines, &key);
	}
	if (!state)
		return 0;
	if (!state->born_ns)
		state->born_ns = bpf_ktime_get_boot_ns();
	/* An address is used again: then every send may be by another task. */
	likely = state->parent & COROUTINE_LIKELY;
	if (!(number & PY_UNNUMBERED) &&
	    ((state->parent && !likely) || state->told >= PY_MEETINGS_MAX))
		return 0;
	/* Another thread runs it: so that one has started it. */
	if (likely && tid && state->receiver != tid)
		state->parent = likely = 0;
	awaiter = awaiter_of(python, address);
	if (state->told++ && !awaiter)
		return 0;
	if (!awaiter && !likely)
		return 0;
	if (awaiter)
		state->parent = number_of_task(python, awaiter);
	tell_awaiters(python, task, &key, awaiter);
	return 0;
}

/* The task that the thread runs or works for, told with those that await it; 0 = not known. */
static __always_inline __u64 this_python_task(struct thread_state *thread,
					      const struct python_layout *python,
					      struct task_struct *task)
{
	__u64 pointer = task->thread.fsbase;
	__u64 address = current_task(thread, python, pointer), number;

	if (!address && !running_loop(thread, python, pointer)) {
		address = task_of_job(thread, python, pointer);
		number = address ? number_of_task(python, address) : 0;
		if (number)
			meet_task(python, address, number, 0);
		return number;
	}
	number = address ? number_of_task(python, address) : 0;
	note_births(thread, python, number);
	if (number)
		meet_task(python, address, number, task->pid);
	return number;
}

#include "queued.bpf.h"

/*
 * The coroutine of a Python program on whose behalf a message is sent or read. asyncio reads
 * sockets between tasks, so that there only who sends tells something.
 */
static __always_inline __u64 python_coroutine(struct thread_state *thread,
					      struct task_struct *task, struct message *m)
{
	__u32 tgid = task->tgid;
	struct python_layout *python = bpf_map_lookup_elem(&python_programs, &tgid);
	__u64 number;

	if (!python)
		return 0;
	if (m->direction == DIRECTION_INGRESS) {
		note_births(thread, python, 0);
		return 0;
	}
	number = this_python_task(thread, python, task);
	return number ? number : task_of_queued(task, m);
}

/*
 * The coroutine on whose behalf a message is sent or read; 0 = not known. Not inlined: what it
 * needs of the stack is free again before the record is sent. Global, so that it is verified once.
 */
__noinline __u64 acting_coroutine(struct thread_state *thread, struct message *m)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (!thread || !m)
		return 0;
	if (thread->python.is_known)
		return python_coroutine(thread, task, m);
	if (thread->node.cell)
		return this_node_context(thread, m->direction);
	return this_coroutine(thread, task);
}

/* Most programs have none that could be told. */
static __always_inline void find_coroutine(struct thread_state *thread, struct message *m)
{
	if (thread->python.is_known || thread->node.cell || thread->go.goid_at)
		m->coroutine = acting_coroutine(thread, m);
}

#endif
