// SPDX-License-Identifier: Apache-2.0
// The configuration of the shop's front door.

export function nginxConfiguration(
  folder: string,
  ports: { readonly nginx: number; readonly orders: number },
): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${folder}/${kind};`).join("\n  ");
  return `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
${Deno.uid() === 0 ? "user root;" : ""}
events { worker_connections 2048; }
http {
  access_log off;
  ${temporary}
  upstream orders {
    server 127.0.0.1:${ports.orders};
    keepalive 32;
  }
  server {
    listen 127.0.0.1:${ports.nginx};
    location = / { return 200 "Welcome to the shop\\n"; }
    location /api/ {
      proxy_pass http://orders/;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
`;
}
