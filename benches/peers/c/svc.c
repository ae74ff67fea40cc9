/* svc: the tiny service that every supervisor under test runs (static, without libc start-up noise).
 *   svc mark  FILE ID             append "ns pid id" to FILE, then sleep for ever
 *   svc tcp   PORT FILE ID        listen on 127.0.0.1:PORT, append the mark, accept and close for ever
 *   svc http  PORT FILE ID        the same, and answer every connection with an empty HTTP 200
 *   svc ready PATH FILE ID        create PATH (file readiness), append the mark, sleep for ever
 *   svc log   LINES LEN ID FILE   append the mark "ID.start", print LINES lines of LEN bytes as fast as it can and "ID END",
 *                                 append "ID.end", sleep for ever
 *   svc flow  RATE LEN ID FILE    append the mark, print RATE lines of LEN bytes a second for ever
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + t.tv_nsec;
}
static void mark(const char *file, const char *id) {
  char b[96];
  uint64_t t = now();
  int n = snprintf(b, sizeof b, "%llu %d %s\n", (unsigned long long)t, getpid(), id);
  int fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0 || write(fd, b, n) != n) _exit(9);
  close(fd);
}
static void all(const char *b, size_t n) {
  while (n) {
    ssize_t w = write(1, b, n);
    if (w <= 0) _exit(8);
    b += w;
    n -= w;
  }
}
static void fill(char *at, int len, const char *id, long i) {
  int h = snprintf(at, 64, "%s seq=%08ld ", id, i);
  memset(at + h, 'x', len - 1 - h);
  at[len - 1] = '\n';
}
int main(int c, char **v) {
  if (c < 2) return 2;
  if (!strcmp(v[1], "mark") && c >= 4) {
    mark(v[2], v[3]);
  } else if (!strcmp(v[1], "ready") && c >= 5) {
    int fd = open(v[2], O_WRONLY | O_CREAT, 0644);
    if (fd < 0) return 3;
    close(fd);
    mark(v[3], v[4]);
  } else if ((!strcmp(v[1], "tcp") || !strcmp(v[1], "http")) && c >= 5) {
    int http = v[1][0] == 'h';
    int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(atoi(v[2]))};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(s, (void *)&a, sizeof a) || listen(s, 64)) return 4;
    mark(v[3], v[4]);
    for (;;) {
      int k = accept(s, 0, 0);
      if (k < 0) continue;
      static const char ok[] = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
      char b[2048];
      if (http && read(k, b, sizeof b) > 0) send(k, ok, sizeof ok - 1, MSG_NOSIGNAL);
      close(k);
    }
  } else if (!strcmp(v[1], "log") && c >= 6) {
    long lines = atol(v[2]);
    size_t len = atoi(v[3]), cap = 65536, n = 0;
    if (len < 80 || len > 4096) return 2;
    char *buf = malloc(cap), id[64];
    snprintf(id, sizeof id, "%s.start", v[4]);
    mark(v[5], id);
    for (long i = 0; i < lines; i++) {
      if (n + len > cap) {
        all(buf, n);
        n = 0;
      }
      fill(buf + n, len, v[4], i);
      n += len;
    }
    all(buf, n);
    all(buf, snprintf(buf, 64, "%s END\n", v[4]));
    snprintf(id, sizeof id, "%s.end", v[4]);
    mark(v[5], id);
  } else if (!strcmp(v[1], "flow") && c >= 6) {
    long rate = atol(v[2]), i = 0;
    size_t len = atoi(v[3]);
    if (rate < 1 || len < 80 || len > 4096) return 2;
    char *buf = malloc(len);
    uint64_t begun = now();
    mark(v[5], v[4]);
    for (;; usleep(10000))
      for (uint64_t due = (now() - begun) / 1000000 * rate / 1000; i < (long)due; i++) {
        fill(buf, len, v[4], i);
        all(buf, len);
      }
  } else
    return 2;
  for (;;) pause();
}
