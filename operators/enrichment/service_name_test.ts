// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { NO_PROGRAM, type Program } from "../../model/process.ts";
import { containerId } from "./container_id.ts";
import { serviceName, type ServiceRule } from "./service_name.ts";

const ID = "3f2a".repeat(16);
const SHORT = ID.slice(0, 12);

Deno.test("container id: the cgroup paths of all runtimes, both versions", () => {
  const inside = [
    `/docker/${ID}`,
    `/system.slice/docker-${ID}.scope`,
    `/system.slice/docker-${ID}.scope/init`,
    `/kubepods/burstable/pod1234-5678/${ID}`,
    `/kubepods.slice/kubepods-pod12.slice/cri-containerd-${ID}.scope`,
    `/kubepods.slice/kubepods-besteffort.slice/crio-${ID}.scope/container`,
    `/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:${ID}`,
    `/machine.slice/libpod-${ID}.scope/container`,
    `/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope`,
    `/ecs/task/${ID}`,
  ];
  for (const path of inside) assert.equal(containerId(path), SHORT, path);
  const task = "0123456789abcdef0123456789abcdef-42";
  assert.equal(containerId(`/ecs/x/${task}`), "0123456789ab");
  const outside = [
    "",
    "/",
    "/system.slice/nginx.service",
    `/machine.slice/libpod-conmon-${ID}.scope`,
    `/kubepods.slice/crio-conmon-${ID}.scope`,
    `/a/${ID}ff`,
  ];
  for (const path of outside) assert.equal(containerId(path), "", path);
});

function program(command: string, more: Partial<Program> = {}): Program {
  const argv = command.split(" ");
  const exe = argv[0] ?? "";
  const comm = exe.slice(exe.lastIndexOf("/") + 1).slice(0, 15);
  return { ...NO_PROGRAM, tgid: 1, comm, exe, argv, ...more };
}

Deno.test("service name: what interpreters run", () => {
  const cases: Record<string, string> = {
    "python3 app.py": "app",
    "/usr/bin/python3.11 -u -W ignore /srv/shop/cart.py --port 1": "cart",
    "python3 -m http.server 80": "http.server",
    "python3 -m shop.main": "shop",
    "python manage.py runserver": "manage",
    "/usr/bin/python3 /usr/local/bin/gunicorn -w 4 shop.wsgi:application": "shop",
    "python3 -m uvicorn main:app": "main",
    "python3 /srv/billing/main.py": "billing",
    "python3 -c print(1)": "python",
    "python3": "python",
    "node server.js": "server",
    "node --require ./trace.js --inspect dist/orders.mjs": "orders",
    "/usr/bin/node /srv/catalog/dist/index.js": "catalog",
    "node index.js": "index",
    "node -e 1": "node",
    "deno run --allow-net --config deno.json api.ts": "api",
    "deno task start": "start",
    "java -Xmx1g -jar /opt/payments-1.4.2-SNAPSHOT.jar --x": "payments",
    "java -cp a.jar:b.jar com.example.shop.CheckoutApplication": "CheckoutApplication",
    "ruby -I lib worker.rb": "worker",
    "dotnet Store.Api.dll": "Store.Api",
    "bash ./deploy.sh": "deploy",
    "sh -c true": "sh",
    "php-fpm8.2": "php-fpm",
    "/usr/bin/redis-server 127.0.0.1:6379": "redis",
    "nginx": "nginx",
    "postgres": "postgres",
    "/usr/sbin/mariadbd": "mariadb",
    "curl http://x": "curl",
    "/usr/lib/systemd/systemd-resolved": "systemd-resolved",
  };
  for (const [command, name] of Object.entries(cases)) {
    assert.equal(serviceName(program(command)), name, command);
  }
  const node = program("/usr/bin/renamed x", { comm: "MainThread" });
  assert.equal(serviceName(node), "renamed", "a thread name is not the name of a program");
});

Deno.test("service name: units of the service manager come before the command line", () => {
  const unit = (cgroup: string) => serviceName(program("python3 app.py", { cgroup }));
  assert.equal(unit("/system.slice/shop.service"), "shop");
  assert.equal(unit("/system.slice/system-shop.slice/shop@8001.service"), "shop");
  assert.equal(
    unit("/user.slice/user-1000.slice/user@1000.service/app.slice/blog.service"),
    "blog",
  );
  assert.equal(unit("/user.slice/user-1000.slice/session-3.scope"), "app");
  assert.equal(unit("/system.slice/ssh.service"), "app");
  assert.equal(unit(`/system.slice/docker.service/docker-${ID}.scope`), "app");
});

Deno.test("service name: rules of the user come first", () => {
  const rules: ServiceRule[] = [
    { service: "a", comm: "nginx", argument: "-x" },
    { service: "b", unit: "nginx.service" },
    { service: "c", container: SHORT },
    { service: "d", exe: "/bin/d" },
  ];
  const named = (command: string, cgroup = "") => serviceName(program(command, { cgroup }), rules);
  assert.equal(named("nginx -x"), "a");
  assert.equal(named("nginx -y"), "nginx");
  assert.equal(named("nginx -y", "/system.slice/nginx.service"), "b");
  assert.equal(named("x", `/docker/${ID}`), "c");
  assert.equal(named("/bin/d"), "d");
});
