// SPDX-License-Identifier: Apache-2.0
// What a test needs of the machine beyond Deno, and why it cannot run where that is missing.

/** Everything a test can ask for by name. */
export type Need =
  | "root"
  | "bpf"
  | "netns"
  | "nat"
  | "bpftool"
  | "clang"
  | "nginx"
  | "haproxy"
  | "redis"
  | "postgres"
  | "mariadb"
  | "dnsmasq"
  | "memcached"
  | "rabbitmq"
  | "mosquitto"
  | "nats"
  | "kcat"
  | "php"
  | "node"
  | "npm"
  | "python"
  | "aiohttp"
  | "uvloop"
  | "fastapi"
  | "go"
  | "go_net"
  | "go_grpc"
  | "java"
  | "curl"
  | "tmux"
  | "tshark"
  | "wrk";

/** The reason why a need is not met here, as the end of a sentence; null when it is met. */
export function requires(need: Need): string | null {
  const known = answers.get(need);
  if (known !== undefined) return known;
  const reason = checks[need]();
  answers.set(need, reason);
  return reason;
}

const answers = new Map<Need, string | null>();

const checks: Record<Need, () => string | null> = {
  root: () => Deno.uid() === 0 ? null : "not running as root",
  bpf: () => requires("root") ?? kernelReason() ?? libbpfReason(),
  netns: () => requires("root") ?? program("ip", "iproute2") ?? namespaceReason(),
  nat: () => requires("netns") ?? program("nft", "nftables") ?? natReason(),
  curl: () => program("curl", "curl"),
  nginx: () => program("nginx", "nginx-light"),
  haproxy: () => program("haproxy", "haproxy"),
  redis: () => program("redis-server", "redis-server"),
  postgres: () => postgresFolder() === undefined ? missing("postgresql") : program("psql", "psql"),
  mariadb: () => program("mariadbd", "mariadb-server") ?? program("mariadb", "mariadb-client"),
  dnsmasq: () => program("dnsmasq", "dnsmasq-base"),
  memcached: () => program("memcached", "memcached"),
  rabbitmq: () => program("rabbitmq-server", "rabbitmq-server"),
  mosquitto: () => program("mosquitto", "mosquitto"),
  nats: () => program("nats-server", "nats-server"),
  kcat: () => program("kcat", "kcat"),
  php: () => succeeds("sh", "-c", "ls /usr/sbin/php-fpm*") ? null : missing("php-fpm"),
  node: () => program("node", "nodejs"),
  npm: () => program("npm", "npm"),
  python: () => program("python3", "python3"),
  aiohttp: () => pythonModule("aiohttp"),
  uvloop: () => pythonModule("uvloop"),
  fastapi: () =>
    pythonModule("fastapi") ?? pythonModule("uvicorn") ?? pythonModule("httpx") ??
      pythonModule("redis"),
  go: () => program("go", "golang-go"),
  go_net: () => requires("go") ?? goPackage("golang.org/x/net", "golang-golang-x-net-dev"),
  go_grpc: () => requires("go") ?? goPackage("google.golang.org/grpc", "golang-google-grpc-dev"),
  java: () => program("javac", "default-jdk-headless"),
  tmux: () => program("tmux", "tmux"),
  bpftool: () => program("bpftool", "bpftool"),
  clang: () => program("clang", "clang") ?? program("llvm-strip", "llvm"),
  tshark: () => program("tshark", "tshark"),
  wrk: () => program("wrk", "wrk"),
};

/** Of Debian's Python. */
function pythonModule(name: string): string | null {
  return succeeds("/usr/bin/python3", "-c", `import ${name}`) ? null : missing(`python3-${name}`);
}

function goPackage(path: string, debianPackage: string): string | null {
  return succeeds("test", "-d", `/usr/share/gocode/src/${path}`) ? null : missing(debianPackage);
}

/** Debian keeps the server programs of PostgreSQL off the path, in a folder per version. */
export function postgresFolder(): string | undefined {
  try {
    const versions = [...Deno.readDirSync("/usr/lib/postgresql")].map((entry) => entry.name);
    const newest = versions.sort((a, b) => Number(b) - Number(a))[0];
    return newest === undefined ? undefined : `/usr/lib/postgresql/${newest}/bin`;
  } catch {
    return undefined;
  }
}

function program(name: string, debianPackage: string): string | null {
  return succeeds("sh", "-c", `command -v ${name}`) ? null : missing(debianPackage);
}

function missing(debianPackage: string): string {
  return `the Debian package ${debianPackage} is not installed`;
}

function kernelReason(): string | null {
  return succeeds("test", "-r", "/sys/kernel/btf/vmlinux")
    ? null
    : "the kernel shows no type information (/sys/kernel/btf/vmlinux)";
}

function libbpfReason(): string | null {
  const folders = "/usr/lib/*-linux-gnu /usr/lib64 /usr/lib /usr/local/lib";
  const search = `for f in ${folders}; do [ -e $f/libbpf.so.1 ] && exit 0; done; exit 1`;
  return succeeds("sh", "-c", search) ? null : missing("libbpf1");
}

function namespaceReason(): string | null {
  return succeeds("unshare", "--net", "--mount", "--propagation", "slave", "true")
    ? null
    : "network namespaces cannot be made here";
}

/** Address translation is tried in a namespace that goes with the command. */
function natReason(): string | null {
  const table = "add table ip t; add chain ip t c { type nat hook prerouting priority -100; }";
  return succeeds("unshare", "--net", "nft", table)
    ? null
    : "addresses cannot be translated here (nf_tables)";
}

function succeeds(command: string, ...args: string[]): boolean {
  try {
    return new Deno.Command(command, { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}
