/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What user space tells of programs whose runtimes tell what runs: values of maps. */
#ifndef SPANDREL_RUNTIMES_H
#define SPANDREL_RUNTIMES_H

/*
 * How to find the running goroutine of a Go program: values of the map `go_programs`, keyed by
 * thread group. Offsets depend on the version of Go that built the program.
 */
struct go_layout {
	__s32 tls_offset;    /* where a thread keeps its g, from the thread pointer */
	__u16 goid_at;       /* in struct g */
	__u16 parent_at;     /* in struct g: who started it; 0 = not kept */
	__u16 startpc_at;    /* in struct g */
	__u16 curg_at;       /* in struct m: the goroutine behind the scheduler's own stack */
	__u16 stack_args;    /* 1: arguments on the stack, not in registers (before 1.17) */
	__u16 spawn_result_at; /* where newproc1 left its result on the stack; 0 = in a register */
	__u64 channels_from; /* code of the runtime that handles channels, in the process … */
	__u64 channels_to;   /* … ends here; 0 = channels are not followed */
	__u16 saved_frame_at; /* in struct g: frame pointer of one that does not run */
	__u16 receive_index_at; /* in struct hchan */
	__u32 reserved;
};

/* What a goroutine does for others, told by the function it runs. */
enum go_role {
	GO_ROLE_OWN = 0,    /* acts for itself */
	GO_ROLE_PARENT = 1, /* acts for the goroutine that started it */
	GO_ROLE_CALLER = 2, /* serves an object, and acts for whoever called that last */
};

/* A key of the map `go_functions`. */
struct go_function {
	__u64 entry; /* address of the function in the process */
	__u32 tgid;
	__u32 reserved;
};

struct go_function_role {
	__u32 role;        /* enum go_role */
	__u32 receiver_at; /* where its first argument lies, down from the end of the stack */
};

/* Where objects of Python keep the values of their attributes. */
enum python_attributes {
	PYTHON_ATTRIBUTES_IN_DICT = 0, /* not read */
	PYTHON_ATTRIBUTES_BEFORE = 1,  /* four words before the object is where they are (3.11) */
	PYTHON_ATTRIBUTES_TAGGED = 2,  /* three words before it, marked by its lowest bit (3.12) */
	PYTHON_ATTRIBUTES_BEHIND = 3,  /* right behind the object (3.13) */
};

/*
 * How to find the running task of asyncio in a Python process: values of the map
 * `python_programs`, keyed by thread group. Addresses are those of the process, offsets depend on
 * the version of CPython.
 */
struct python_layout {
	__u64 current_tasks; /* dict of asyncio: from a loop to the task that it runs */
	__u64 threads;       /* where the state of the first thread is pointed to */
	__u64 loop_key;      /* str under which the dict of a thread has the loop that it runs */
	__u64 task_type;
	__u64 future_type;
	__u64 text_type;     /* str */
	__u64 function_type;
	__u64 method_type;   /* a function bound to an object */
	__u64 partial_type;  /* functools.partial */
	__u64 task_count;    /* where asyncio counts the names it gave to tasks; 0 = not known */
	__u16 thread_id_at;  /* in the state of a thread: its thread pointer */
	__u16 thread_dict_at;
	__u16 thread_loop_at; /* the loop that it runs; 0 = it is in its dict */
	__u16 task_name_at;
	__u16 closure_at;    /* in functions */
	__u16 text_at;       /* in str: the characters of ASCII */
	__u8 small_keys;     /* 1: dicts keep their keys as since 3.11 */
	__u8 loop_held;      /* 1: the dict has it in a holder, as before 3.12 */
	__u8 attributes;     /* enum python_attributes */
	__u8 frame_held;     /* 1: by the holder of frame_held_at */
	__u16 frame_at;      /* in the state of a thread: the innermost frame */
	__u16 frame_held_at; /* it has a holder, and in that it is here */
	__u16 previous_at;   /* in a frame: the next one outwards */
	__u16 locals_at;     /* its variables */
	__u8 frames_of_c;    /* 1: there are frames that stand for calls from C */
	__u8 reserved[7];
};

#endif
