// SPDX-License-Identifier: Apache-2.0
// The id of a container, read from the path of its cgroup. No container runtime is asked.

/** Digits of the id as people know it from `docker ps`. */
const DIGITS = 12;

/**
 * 64 hex digits, as Docker, containerd, CRI-O and Podman name containers in both versions of
 * cgroups: `/docker/ID`, `docker-ID.scope`, `cri-containerd-ID.scope`, `crio-ID.scope`,
 * `libpod-ID.scope`, `kubepods/…/podUID/ID`, `…:cri-containerd:ID`.
 */
const HEX_ID = /(?:^|[/:-])([0-9a-f]{64})(?:\.scope)?(?=\/|$)/;

/** AWS ECS on Fargate: the task and a number. */
const ECS_ID = /\/ecs\/[^/]+\/([0-9a-f]{32}-[0-9]+)(?=\/|$)/;

/** The process beside a container that watches it is not in the container. */
const WATCHER = /(?:crio|libpod)-conmon-/;

/** 12 digits; "" outside of containers. */
export function containerId(cgroup: string): string {
  if (WATCHER.test(cgroup)) return "";
  const id = (HEX_ID.exec(cgroup) ?? ECS_ID.exec(cgroup))?.[1];
  return id === undefined ? "" : id.slice(0, DIGITS);
}
