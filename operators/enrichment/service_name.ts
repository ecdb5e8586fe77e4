// SPDX-License-Identifier: Apache-2.0
// The name of the service that a program belongs to, by rules that need no configuration.
//
// In this order: a rule of the user; the unit of the service manager; what an interpreter runs;
// the name of the program. Environment variables such as OTEL_SERVICE_NAME are not read: they
// would need the memory of the process.

import type { Program } from "../../model/process.ts";
import { containerId } from "./container_id.ts";
import { scriptName } from "./script_name.ts";

/** All that is given must be equal; the first rule that fits names the service. */
export interface ServiceRule {
  readonly service: string;
  readonly comm?: string;
  readonly exe?: string;
  /** One whole argument of the command line. */
  readonly argument?: string;
  /** 12 digits. */
  readonly container?: string;
  /** Unit of the service manager, such as nginx.service. */
  readonly unit?: string;
}

export function serviceName(program: Program, rules: readonly ServiceRule[] = []): string {
  const rule = rules.find((rule) => fits(rule, program));
  if (rule !== undefined) return rule.service;
  return unitName(program.cgroup) ?? scriptName(program.argv) ?? programName(program);
}

function fits(rule: ServiceRule, program: Program): boolean {
  const { comm, exe, argument, container, unit } = rule;
  return (comm === undefined || comm === program.comm) &&
    (exe === undefined || exe === program.exe) &&
    (argument === undefined || program.argv.includes(argument)) &&
    (container === undefined || container === containerId(program.cgroup)) &&
    (unit === undefined || unit === unitOf(program.cgroup));
}

/** Units that run whatever people and other programs start in them. */
const MANAGERS = new Set([
  "anacron",
  "atd",
  "containerd",
  "cron",
  "crond",
  "crio",
  "docker",
  "gitlab-runner",
  "init",
  "k3s",
  "kubelet",
  "podman",
  "runit",
  "ssh",
  "sshd",
  "supervisor",
  "supervisord",
  "user",
]);

/** The innermost unit of a cgroup path, such as nginx.service. */
function unitOf(cgroup: string): string | undefined {
  return cgroup.split("/").findLast((part) => part.endsWith(".service"));
}

/** The service of a unit: instances of one template (app@8001) are one service. */
function unitName(cgroup: string): string | undefined {
  if (containerId(cgroup) !== "") return undefined;
  const unit = unitOf(cgroup)?.slice(0, -".service".length);
  if (unit === undefined) return undefined;
  const name = unit.split("@")[0] ?? unit;
  // Desktops start each application in a unit: app-gnome-NAME-PID.
  return name === "" || MANAGERS.has(name) || name.startsWith("app-") ? undefined : name;
}

/** Servers that are better known by another name than that of their program. */
const KNOWN_AS: Readonly<Record<string, string>> = {
  "redis-server": "redis",
  "valkey-server": "valkey",
  "mysqld": "mysql",
  "mariadbd": "mariadb",
  "mongod": "mongodb",
  "beam.smp": "rabbitmq",
  "apache2": "apache",
  "httpd": "apache",
};

/** comm holds 15 characters of a name. */
const COMM_CHARS_MAX = 15;

/** Names that threads give themselves, which say nothing of the program. */
const THREAD_NAME = /^(MainThread|main|worker|node|tokio-runtime|.*[-_ ]worker[-_ ]?[0-9]*)$/i;

function programName({ comm, exe }: Program): string {
  const file = exe.slice(exe.lastIndexOf("/") + 1).replace(/ \(deleted\)$/, "");
  const cut = comm.length === COMM_CHARS_MAX && file.startsWith(comm);
  const name = file !== "" && (comm === "" || cut || THREAD_NAME.test(comm)) ? file : comm;
  // php-fpm8.2, python3.11, postgres: the version is not part of the service.
  const plain = name.replace(/[-.]?[0-9]+(\.[0-9]+)*$/, "");
  return KNOWN_AS[name] ?? KNOWN_AS[plain] ?? (plain === "" ? name : plain);
}
