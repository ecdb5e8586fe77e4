<?php
// SPDX-License-Identifier: Apache-2.0
// PHP-FPM: a process per request, connections to Redis and the HTTP end that last for the request.
// A path is /PLAN/TOKEN, as nginx wrote it.

[, $plan, $token] = explode('/', $_SERVER['REQUEST_URI']);

function fresh(): string
{
    global $token;
    $sent = bin2hex(random_bytes(6));
    file_put_contents($_SERVER['LOG'], "$token $sent\n", FILE_APPEND);
    return $sent;
}

function redis(string $key): void
{
    static $connection = null;
    $connection ??= stream_socket_client("tcp://127.0.0.1:{$_SERVER['REDIS_PORT']}");
    fwrite($connection, "*2\r\n\$3\r\nGET\r\n\$" . strlen($key) . "\r\n$key\r\n");
    fgets($connection);
}

foreach (str_split($plan) as $letter) {
    if ($letter === 'r') redis(fresh());
    if ($letter === 'h') file_get_contents("http://127.0.0.1:{$_SERVER['LEAF_PORT']}/leaf/" . fresh());
}
header('Content-Length: 2');
echo 'ok';
