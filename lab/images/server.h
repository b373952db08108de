/* An HTTP/1.1 server in WebAssembly: answers every GET with a small JSON document.
 *
 * WASI preview 1 has no call that makes a listening socket; WasmEdge adds them to the same
 * import module, with its own signatures.
 */
#ifndef WASMLAB_SERVER_H
#define WASMLAB_SERVER_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IMPORT(name) \
    __attribute__((import_module("wasi_snapshot_preview1"), import_name(name)))

#define AF_INET4 1 /* WasmEdge's numbering, not the host's */
#define SOCK_STREAM_KIND 2
#define BACKLOG 128
#define REQUEST_BYTES 4096

struct bytes {
    void *data;
    uint32_t length;
};

IMPORT("sock_open") uint16_t wasmedge_open(uint32_t family, uint32_t kind, uint32_t *fd);
IMPORT("sock_bind") uint16_t wasmedge_bind(uint32_t fd, struct bytes *address, uint32_t port);
IMPORT("sock_listen") uint16_t wasmedge_listen(uint32_t fd, uint32_t backlog);
IMPORT("sock_accept") uint16_t wasmedge_accept(uint32_t fd, uint32_t *connection);
IMPORT("sock_recv")
uint16_t wasmedge_recv(uint32_t fd, struct bytes *buffers, uint32_t count, uint32_t flags,
                       uint32_t *received, uint32_t *received_flags);
IMPORT("sock_send")
uint16_t wasmedge_send(uint32_t fd, struct bytes *buffers, uint32_t count, uint32_t flags,
                       uint32_t *sent);

static void require(const char *what, uint16_t error) {
    if (error != 0) {
        fprintf(stderr, "%s failed with WASI error %u\n", what, error);
        exit(1);
    }
}

static int send_all(uint32_t fd, const char *data, uint32_t length) {
    while (length > 0) {
        struct bytes buffer = {(void *)data, length};
        uint32_t sent = 0;
        if (wasmedge_send(fd, &buffer, 1, 0, &sent) != 0 || sent == 0)
            return -1;
        data += sent;
        length -= sent;
    }
    return 0;
}

/* Reads until the blank line that ends a request's head; bodies are not expected. */
static int read_head(uint32_t fd, char *head) {
    uint32_t used = 0;
    while (used < REQUEST_BYTES - 1) {
        struct bytes buffer = {head + used, REQUEST_BYTES - 1 - used};
        uint32_t received = 0, flags = 0;
        if (wasmedge_recv(fd, &buffer, 1, 0, &received, &flags) != 0 || received == 0)
            return -1;
        used += received;
        head[used] = 0;
        if (strstr(head, "\r\n\r\n") != NULL)
            return 0;
    }
    return 0;
}

static void answer(uint32_t connection, unsigned long number) {
    static char head[REQUEST_BYTES];
    char body[128], response[512];
    if (read_head(connection, head) != 0)
        return;
    int is_get = strncmp(head, "GET ", 4) == 0;
    int body_length = snprintf(body, sizeof body, "{\"status\":\"%s\",\"request\":%lu}\n",
                               is_get ? "ok" : "method not allowed", number);
    int length = snprintf(response, sizeof response,
                          "HTTP/1.1 %s\r\nContent-Type: application/json\r\n"
                          "Content-Length: %d\r\nConnection: close\r\n\r\n%s",
                          is_get ? "200 OK" : "405 Method Not Allowed", body_length, body);
    send_all(connection, response, (uint32_t)length);
}

/* Serves for ever. */
static int serve(uint32_t port) {
    uint8_t any[4] = {0, 0, 0, 0};
    struct bytes address = {any, sizeof any};
    uint32_t listener = 0;

    require("sock_open", wasmedge_open(AF_INET4, SOCK_STREAM_KIND, &listener));
    require("sock_bind", wasmedge_bind(listener, &address, port));
    require("sock_listen", wasmedge_listen(listener, BACKLOG));
    printf("listening on 0.0.0.0:%u\n", port);
    fflush(stdout);

    for (unsigned long number = 1;; number++) {
        uint32_t connection = 0;
        require("sock_accept", wasmedge_accept(listener, &connection));
        answer(connection, number);
        close((int)connection);
    }
}

#endif
