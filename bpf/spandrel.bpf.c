/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* All programs that run in the kernel: each is one call into the part that holds its idea. */
#include "vmlinux_min.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>
#include "event.h"
#include "state.bpf.h"
#include "maps.bpf.h"
#include "thread.bpf.h"
#include "socket/socket.bpf.h"
#include "socket/sequence.bpf.h"
#include "socket/verdict.bpf.h"
#include "message/call.bpf.h"
#include "message/payload.bpf.h"
#include "message/datagram.bpf.h"
#include "message/emit.bpf.h"
#include "message/pieces.bpf.h"
#include "message/emit_message.bpf.h"
#include "coroutine.bpf.h"
#include "go_stream.bpf.h"
#include "go_channel.bpf.h"
#include "node/context.bpf.h"
#include "python/task.bpf.h"
#include "socket/unix.bpf.h"
#include "fast.bpf.h"
#include "portable.bpf.h"
#include "socket/connect.bpf.h"
#include "socket/lifecycle.bpf.h"
#include "process.bpf.h"
#include "wakeup.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Keeps in BTF what no program mentions by type: the offsets in event.gen.ts come from there. */
const struct {
	struct data_event data;
	struct close_event close;
	struct process_event process;
	struct process_seed process_seed;
	struct activity_event activity;
	struct unix_event unix;
	struct coroutine_event coroutine;
	struct connect_event connect;
	struct go_layout go_layout;
	struct go_function go_function;
	struct go_function_role go_function_role;
	enum go_role go_role;
	enum coroutine_task coroutine_task;
	struct python_layout python_layout;
	enum python_attributes python_attributes;
	enum event_kind event_kind;
	enum direction direction;
	enum role role;
	enum via via;
	enum call call;
	enum data_flags data_flags;
	enum close_reason close_reason;
	enum process_what process_what;
	enum activity_what activity_what;
	enum verdict verdict;
	enum drop_reason drop_reason;
	enum program_rule program_rule;
} *event_types __attribute__((unused));

SEC("tp_btf/sock_send_length")
int BPF_PROG(socket_send, struct sock *sk, int ret, int flags)
{
	return message_passed(sk, ret, flags, DIRECTION_EGRESS);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(socket_receive, struct sock *sk, int ret, int flags)
{
	return message_passed(sk, ret, flags, DIRECTION_INGRESS);
}

SEC("tp_btf/tcp_sendmsg_locked")
int BPF_PROG(tcp_send_start, struct sock *sk, struct msghdr *msg)
{
	return send_started(sk, msg);
}

SEC("cgroup/recvmsg4")
int datagram_sender4(struct bpf_sock_addr *ctx)
{
	keep_sender(ctx, false);
	return 1;
}

SEC("cgroup/recvmsg6")
int datagram_sender6(struct bpf_sock_addr *ctx)
{
	keep_sender(ctx, true);
	return 1;
}

/* Attached to the enter, or exit, of each of the ten calls: see ffi/hooks.ts. */
SEC("tracepoint")
int call_enter(struct trace_event_raw_sys_enter *ctx)
{
	return call_entered(ctx, 3);
}

/* recvfrom, recvmmsg, sendto: those of which more than three arguments are needed. */
SEC("tracepoint")
int call_enter_wide(struct trace_event_raw_sys_enter *ctx)
{
	return call_entered(ctx, 5);
}

SEC("tracepoint")
int call_exit(struct trace_event_raw_sys_exit *ctx)
{
	return call_left(ctx);
}

/* Attached to the exit of each call that waits for descriptors. */
SEC("tracepoint")
int poll_exit(struct trace_event_raw_sys_exit *ctx)
{
	struct thread_state *thread = known_thread(bpf_get_current_task_btf());

	if (thread)
		thread->turn++;
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(socket_state_change, struct sock *sk, int old, int new)
{
	return socket_changed(sk, old, new);
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(socket_destroy, struct sock *sk)
{
	return socket_destroyed(sk);
}

SEC("iter/task")
int seed_processes(struct bpf_iter__task *ctx)
{
	return write_seed(ctx->meta->seq, ctx->task);
}

SEC("iter/task_file")
int seed_listening(struct bpf_iter__task_file *ctx)
{
	return note_listening(ctx->file);
}

SEC("iter/task_file")
int seed_sockets(struct bpf_iter__task_file *ctx)
{
	return note_socket(ctx->file);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(process_fork, struct task_struct *parent, struct task_struct *child)
{
	return process_forked(child);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_exec, struct task_struct *task, int old_pid, struct linux_binprm *binprm)
{
	return program_executed(task, binprm);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exit, struct task_struct *task)
{
	return task_exited(task);
}

SEC("tp_btf/sched_waking")
int BPF_PROG(thread_waking, struct task_struct *woken)
{
	return thread_woken(woken);
}

/* Programs at functions of Go programs: which function, and where in it, ffi/hooks.ts tells. */
SEC("uprobe")
int go_spawned(struct pt_regs *ctx)
{
	return goroutine_spawned(ctx);
}

SEC("uprobe")
int go_called(struct pt_regs *ctx)
{
	return object_called(ctx);
}

SEC("uprobe")
int go_passed(struct pt_regs *ctx)
{
	return goroutine_passed();
}

SEC("uprobe")
int go_reads(struct pt_regs *ctx)
{
	return connection_read(ctx);
}

SEC("uprobe")
int go_handles(struct pt_regs *ctx)
{
	return stream_handled(ctx);
}

SEC("uprobe")
int go_handles_rpc(struct pt_regs *ctx)
{
	return rpc_handled(ctx);
}

SEC("uprobe")
int go_sends_rpc(struct pt_regs *ctx)
{
	return rpc_sent(ctx);
}

SEC("uprobe")
int go_put(struct pt_regs *ctx)
{
	return channel_put(ctx);
}

SEC("uprobe")
int go_take(struct pt_regs *ctx)
{
	return channel_take(ctx);
}

SEC("uprobe")
int go_hands(struct pt_regs *ctx)
{
	return channel_send(ctx);
}

SEC("uprobe")
int go_gets(struct pt_regs *ctx)
{
	return channel_receive(ctx);
}

/* Programs at functions of Python: see python_programs.ts. */
SEC("uprobe")
int python_queued(struct pt_regs *ctx)
{
	return connection_queued(ctx);
}
