/* The load client of the benchmark: many charge points in one thread.
 *
 * Opens WebSocket connections to a central system on loopback, sends scripted OCPP-J calls and
 * checks every answer. Frames are masked once; what differs from message to message is patched in
 * at fixed places. Ends by itself: at its time limit, when standard input closes, or with its parent.
 *
 * A script has one line a frame: phase TAB text that the answer must hold TAB frame. Frames of phase
 * "first" are sent once a connection, those of phase "loop" over and over. Placeholders, all of ten
 * characters: @@@@@@@@@@ serial number, ^^^^^^^^^^ the same with spaces before it, ########## number
 * of the station, ~~~~~~~~~~ transaction id of the last answer that had one.
 *
 * Modes: closed (each connection keeps one call open), open (calls are due at a fixed rate, latency
 * counts from the due time), once (connect, send all frames once, done), hold (as once, then stay).
 *
 * Standard output: the lines "connected", "begin", "end" as they happen, then one JSON object.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PLACE = 10, MAX_PLACES = 8, MAX_FRAMES = 8, LARGEST_FRAME = 4096, IN_BYTES = 6144 };
enum { STDIN_EVENT = UINT32_MAX };

typedef enum { CONNECTING, UPGRADING, READY, GONE } State;
typedef enum { CLOSED_LOOP, OPEN_LOOP, ONCE, HOLD } Mode;

typedef struct {
    int at;
    char kind;
} Place;

typedef struct {
    unsigned char bytes[LARGEST_FRAME]; /* header, mask, masked text */
    int size, text_at, places;
    Place place[MAX_PLACES];
    char expected[128];
    bool first;
} Frame;

typedef struct {
    int fd;
    State state;
    int next;             /* index of the frame to send next */
    bool waiting;         /* for the answer to `sent` */
    int sent;
    uint64_t serial;      /* of the open call */
    uint64_t since;       /* when the open call was sent, or was due */
    uint64_t due;         /* open loop: due time of the oldest call that waits for its turn */
    int overdue;          /* open loop: how many wait */
    long transaction;
    int fill;
    unsigned char in[IN_BYTES];
} Station;

static const unsigned char MASK[4] = {0x37, 0xfa, 0x21, 0x3d};

static struct {
    int port, stations, from, sources, burst;
    Mode mode;
    double warm, measure, rate, limit;
    uint64_t serial;
    bool echo;
    const char *identity, *password;
} options = {.port = 0, .stations = 1, .sources = 1, .burst = 200, .warm = 1, .measure = 3,
             .rate = 1000, .limit = 60, .identity = "BENCH-%06d", .password = "bench-password-"};

static Frame frames[MAX_FRAMES];
static int frame_count, first_count;
static Station *stations;
static int epoll_fd;
static int started, upgraded, finished;
static long errors, answers, calls_received;
static bool measuring, stopping;
static uint64_t *latencies;
static size_t latency_count, latency_room;

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void fail(const char *what) {
    fprintf(stderr, "load: %s\n", what);
    exit(1);
}

static void say(const char *line) {
    puts(line);
    fflush(stdout);
}

static void note_error(int station, const char *what, const unsigned char *text, int size) {
    if (++errors <= 3)
        fprintf(stderr, "load: station %d: %s: %.*s\n", station, what, size > 200 ? 200 : size, text);
}

/* -- frames */

static void add_frame(char *line) {
    char *expected = strchr(line, '\t');
    char *text = expected ? strchr(expected + 1, '\t') : NULL;
    if (!text || frame_count == MAX_FRAMES) fail("bad script");
    *expected++ = *text++ = 0;
    Frame *f = &frames[frame_count++];
    f->first = !strcmp(line, "first");
    if (f->first && frame_count - 1 != first_count) fail("first frames come first");
    first_count += f->first;
    snprintf(f->expected, sizeof f->expected, "%s", expected);
    int size = (int)strlen(text), at = 0;
    if (size > LARGEST_FRAME - 8) fail("frame too large");
    f->bytes[at++] = 0x81;
    if (size < 126) {
        f->bytes[at++] = (unsigned char)(0x80 | size);
    } else {
        f->bytes[at++] = 0x80 | 126;
        f->bytes[at++] = (unsigned char)(size >> 8);
        f->bytes[at++] = (unsigned char)size;
    }
    memcpy(f->bytes + at, MASK, 4);
    f->text_at = at += 4;
    f->size = at + size;
    for (int i = 0; i < size; i++) f->bytes[at + i] = (unsigned char)text[i] ^ MASK[i & 3];
    for (int i = 0; i + PLACE <= size; i++) {
        char kind = text[i];
        if (!strchr("@^#~", kind) || strspn(text + i, (char[]){kind, 0}) < PLACE) continue;
        if (f->places == MAX_PLACES) fail("too many placeholders");
        f->place[f->places++] = (Place){.at = i, .kind = kind};
        i += PLACE - 1;
    }
}

static void read_script(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file) fail("cannot read the script");
    char line[LARGEST_FRAME];
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        if (*line) add_frame(line);
    }
    fclose(file);
    if (!frame_count) fail("empty script");
}

static void send_next(int number, uint64_t since) {
    Station *s = &stations[number];
    Frame *f = &frames[s->next];
    unsigned char bytes[LARGEST_FRAME];
    memcpy(bytes, f->bytes, (size_t)f->size);
    s->serial = ++options.serial;
    for (int p = 0; p < f->places; p++) {
        char digits[32];
        switch (f->place[p].kind) {
        case '@': snprintf(digits, sizeof digits, "%010llu", (unsigned long long)s->serial); break;
        case '^': snprintf(digits, sizeof digits, "%10llu", (unsigned long long)s->serial); break;
        case '#': snprintf(digits, sizeof digits, "%010d", options.from + number); break;
        default: snprintf(digits, sizeof digits, "%10ld", s->transaction); break;
        }
        for (int i = 0; i < PLACE; i++) {
            int at = f->place[p].at + i;
            bytes[f->text_at + at] = (unsigned char)digits[i] ^ MASK[at & 3];
        }
    }
    s->sent = s->next;
    s->next = s->next + 1 < frame_count ? s->next + 1 : first_count;
    s->since = since;
    s->waiting = true;
    /* a socket buffer always takes one small frame; if not, something is wrong */
    if (send(s->fd, bytes, (size_t)f->size, MSG_NOSIGNAL) != f->size)
        note_error(number, "frame not sent", bytes, 0);
}

/* -- connections */

static void encode_base64(const char *text, char *out) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t size = strlen(text);
    for (size_t i = 0; i < size; i += 3) {
        unsigned v = (unsigned)(unsigned char)text[i] << 16;
        if (i + 1 < size) v |= (unsigned)(unsigned char)text[i + 1] << 8;
        if (i + 2 < size) v |= (unsigned char)text[i + 2];
        *out++ = digits[v >> 18];
        *out++ = digits[v >> 12 & 63];
        *out++ = i + 1 < size ? digits[v >> 6 & 63] : '=';
        *out++ = i + 2 < size ? digits[v & 63] : '=';
    }
    *out = 0;
}

static void open_connection(int number) {
    Station *s = &stations[number];
    int one = 1;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0) fail("no socket left: raise `ulimit -n`");
    setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(s->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    struct sockaddr_in source = {.sin_family = AF_INET};
    source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)(number % options.sources));
    if (bind(s->fd, (void *)&source, sizeof source)) fail("cannot bind a loopback address");
    struct sockaddr_in target = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port)};
    target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(s->fd, (void *)&target, sizeof target) && errno != EINPROGRESS) fail("cannot connect");
    s->state = CONNECTING;
    struct epoll_event event = {.events = EPOLLOUT, .data.u32 = (uint32_t)number};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, s->fd, &event);
}

static void upgrade(int number) {
    Station *s = &stations[number];
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) fail(strerror(error));
    char identity[64], secret[192], encoded[260], request[640];
    snprintf(identity, sizeof identity, options.identity, options.from + number);
    snprintf(secret, sizeof secret, "%s:%s%s", identity, options.password, identity);
    encode_base64(secret, encoded);
    int length = snprintf(request, sizeof request,
                          "GET /ocpp/%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
                          "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ocpp1.6\r\n"
                          "Authorization: Basic %s\r\n\r\n",
                          identity, options.port, encoded);
    if (send(s->fd, request, (size_t)length, MSG_NOSIGNAL) != length) fail("handshake not sent");
    s->state = UPGRADING;
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)number};
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, s->fd, &event);
}

static void finish_first(void) { finished++; }

static void after_upgrade(int number) {
    upgraded++;
    stations[number].state = READY;
    if (first_count)
        send_next(number, now_ns());
    else
        finish_first();
}

/* -- what comes in */

static void record(uint64_t latency) {
    if (latency_count == latency_room) {
        latency_room = latency_room ? latency_room * 2 : 1 << 16;
        latencies = realloc(latencies, latency_room * sizeof *latencies);
        if (!latencies) fail("out of memory");
    }
    latencies[latency_count++] = latency;
}

static void answered(int number, const unsigned char *text, int size) {
    Station *s = &stations[number];
    uint64_t at = now_ns();
    char head[32];
    int head_size = snprintf(head, sizeof head, "[%d,\"%010llu\",", options.echo ? 2 : 3,
                             (unsigned long long)s->serial);
    if (!s->waiting || size < head_size || memcmp(text, head, (size_t)head_size)) {
        if (size > 2 && text[1] == '2' && !options.echo)
            calls_received++; /* the central system asks something: not part of this load */
        else
            note_error(number, "not the expected answer", text, size);
        return;
    }
    const char *expected = frames[s->sent].expected;
    if (!options.echo && *expected && !memmem(text, (size_t)size, expected, strlen(expected)))
        note_error(number, "answer without what was expected", text, size);
    static const char key[] = "\"transactionId\":";
    const char *found = memmem(text, (size_t)size, key, sizeof key - 1);
    if (found) s->transaction = strtol(found + sizeof key - 1, NULL, 10);
    s->waiting = false;
    if (measuring) {
        answers++;
        record(at - s->since);
    }
    if (frames[s->sent].first) {
        if (s->next < first_count && s->next > s->sent)
            send_next(number, at);
        else
            finish_first();
    } else if (stopping) {
        return;
    } else if (options.mode == CLOSED_LOOP) {
        send_next(number, at);
    } else if (s->overdue) {
        s->overdue--;
        uint64_t due = s->due;
        s->due += (uint64_t)(1e9 * options.stations / options.rate);
        send_next(number, due);
    }
}

static void pong(Station *s, const unsigned char *text, int size) {
    unsigned char frame[140] = {0x8a, (unsigned char)(0x80 | size)}; /* a mask of zeros */
    memcpy(frame + 6, text, (size_t)size);
    send(s->fd, frame, (size_t)size + 6, MSG_NOSIGNAL);
}

static void leave(int number) {
    Station *s = &stations[number];
    if (s->state == GONE) return;
    if (!stopping) note_error(number, "closed by the server", s->in, 0);
    close(s->fd);
    s->state = GONE;
}

/* Takes one whole frame from the start of the buffer; returns its size, or 0 while it is partial. */
static int take_frame(int number, const unsigned char *b, int size) {
    if (size < 2) return 0;
    int length = b[1] & 0x7f, at = 2;
    if (length == 126) {
        if (size < 4) return 0;
        length = b[2] << 8 | b[3];
        at = 4;
    } else if (length == 127) {
        fail("frame too large");
    }
    if (at + length > IN_BYTES) fail("frame too large");
    if (size < at + length) return 0;
    switch (b[0]) {
    case 0x81: answered(number, b + at, length); break;
    case 0x89: pong(&stations[number], b + at, length); break;
    case 0x88: leave(number); break;
    default: note_error(number, "unexpected frame", b, 1);
    }
    return at + length;
}

static void receive(int number) {
    Station *s = &stations[number];
    ssize_t got = recv(s->fd, s->in + s->fill, (size_t)(IN_BYTES - s->fill), 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
        if (s->state == UPGRADING) fail("closed during the handshake");
        leave(number);
        return;
    }
    s->fill += (int)got;
    int done = 0;
    if (s->state == UPGRADING) {
        unsigned char *end = memmem(s->in, (size_t)s->fill, "\r\n\r\n", 4);
        if (!end) return;
        if (memcmp(s->in, "HTTP/1.1 101", 12)) {
            fprintf(stderr, "load: station %d: %.60s\n", number, (char *)s->in);
            fail("handshake refused");
        }
        done = (int)(end - s->in) + 4;
        after_upgrade(number);
    }
    for (int size; s->state == READY && done < s->fill; done += size)
        if (!(size = take_frame(number, s->in + done, s->fill - done))) break;
    memmove(s->in, s->in + done, (size_t)(s->fill - done));
    s->fill -= done;
}

/* -- the run */

static void wait_events(uint64_t until) {
    struct epoll_event events[512];
    uint64_t now = now_ns(), left = until > now ? until - now : 0;
    if (left > 50000000) left = 50000000;
    struct timespec timeout = {.tv_sec = 0, .tv_nsec = (long)left};
    int count = epoll_pwait2(epoll_fd, events, 512, &timeout, NULL);
    for (int i = 0; i < count; i++) {
        uint32_t number = events[i].data.u32;
        if (number == STDIN_EVENT) {
            char byte;
            if (read(0, &byte, 1) <= 0) {
                if (options.mode != HOLD || finished < options.stations) exit(130);
                stopping = true;
                epoll_ctl(epoll_fd, EPOLL_CTL_DEL, 0, NULL);
            }
        } else if (stations[number].state == CONNECTING) {
            upgrade((int)number);
        } else if (stations[number].state != GONE) {
            receive((int)number);
        }
    }
}

static void connect_all(uint64_t limit) {
    while (finished < options.stations) {
        /* a storm counts as handled once its answers are there, other loads once connected */
        int handled = options.mode == ONCE ? finished : upgraded;
        while (started < options.stations && started - handled < options.burst)
            open_connection(started++);
        wait_events(now_ns() + 50000000);
        if (now_ns() > limit) fail("time limit while connecting");
    }
}

static void run_until(uint64_t end, double *next_due, int *turn) {
    while (now_ns() < end && !stopping) {
        uint64_t wake = end;
        if (options.mode == OPEN_LOOP) {
            for (uint64_t now = now_ns(); *next_due <= (double)now; *next_due += 1e9 / options.rate) {
                Station *s = &stations[*turn];
                uint64_t due = (uint64_t)*next_due;
                if (s->waiting) {
                    if (!s->overdue++) s->due = due;
                } else {
                    send_next(*turn, due);
                }
                *turn = (*turn + 1) % options.stations;
            }
            if (*next_due < (double)end) wake = (uint64_t)*next_due;
        }
        wait_events(wake);
    }
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static double percentile_ms(double share) {
    if (!latency_count) return 0;
    size_t index = (size_t)(share * (double)(latency_count - 1));
    return (double)latencies[index] / 1e6;
}

static double cpu_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void parse_options(int count, char **words) {
    for (int i = 1; i + 1 < count; i += 2) {
        const char *name = words[i], *value = words[i + 1];
        if (!strcmp(name, "--port")) options.port = atoi(value);
        else if (!strcmp(name, "--stations")) options.stations = atoi(value);
        else if (!strcmp(name, "--from")) options.from = atoi(value);
        else if (!strcmp(name, "--sources")) options.sources = atoi(value);
        else if (!strcmp(name, "--burst")) options.burst = atoi(value);
        else if (!strcmp(name, "--warm")) options.warm = atof(value);
        else if (!strcmp(name, "--measure")) options.measure = atof(value);
        else if (!strcmp(name, "--rate")) options.rate = atof(value);
        else if (!strcmp(name, "--limit")) options.limit = atof(value);
        else if (!strcmp(name, "--serial")) options.serial = strtoull(value, NULL, 10);
        else if (!strcmp(name, "--echo")) options.echo = atoi(value);
        else if (!strcmp(name, "--script")) read_script(value);
        else if (!strcmp(name, "--mode")) {
            static const char *const names[] = {"closed", "open", "once", "hold"};
            int mode = 0;
            while (mode < 4 && strcmp(value, names[mode])) mode++;
            if (mode == 4) fail("no such mode");
            options.mode = (Mode)mode;
        } else fail("no such option");
    }
    if (!options.port || !frame_count || options.stations < 1 || options.sources < 1) fail("options");
    bool loops = options.mode == CLOSED_LOOP || options.mode == OPEN_LOOP;
    if (loops != (frame_count > first_count)) fail("script and mode do not fit");
}

int main(int count, char **words) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    parse_options(count, words);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    stations = calloc((size_t)options.stations, sizeof *stations);
    if (epoll_fd < 0 || !stations) fail("out of memory");
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = STDIN_EVENT};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, 0, &event);
    uint64_t begun = now_ns(), limit = begun + (uint64_t)(options.limit * 1e9);

    measuring = options.mode == ONCE;
    connect_all(limit);
    double seconds = (double)(now_ns() - begun) / 1e9, connect_s = seconds, cpu = cpu_seconds();
    measuring = false;
    say("connected");
    if (options.mode == HOLD) {
        while (!stopping) {
            wait_events(limit);
            if (now_ns() > limit) fail("time limit while holding");
        }
    } else if (options.mode != ONCE) {
        int turn = 0;
        double next_due = (double)now_ns();
        if (options.mode == CLOSED_LOOP)
            for (int i = 0; i < options.stations; i++) send_next(i, now_ns());
        run_until(now_ns() + (uint64_t)(options.warm * 1e9), &next_due, &turn);
        cpu = cpu_seconds();
        uint64_t start = now_ns();
        measuring = true;
        say("begin");
        run_until(start + (uint64_t)(options.measure * 1e9), &next_due, &turn);
        seconds = (double)(now_ns() - start) / 1e9;
        say("end");
        measuring = false;
        cpu = cpu_seconds() - cpu;
    }
    /* open calls are still answered: nothing is cut off in the middle of a commit */
    stopping = true;
    uint64_t patience = now_ns() + 5000000000u;
    for (int i = 0; i < options.stations && now_ns() < patience; i++)
        while (stations[i].state == READY && stations[i].waiting && now_ns() < patience)
            wait_events(patience);
    for (int i = 0; i < options.stations; i++)
        if (stations[i].state == READY && stations[i].waiting) note_error(i, "no answer", MASK, 0);
    for (int i = 0; i < options.stations; i++) {
        static const unsigned char bye[8] = {0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8};
        if (stations[i].state != READY) continue;
        send(stations[i].fd, bye, sizeof bye, MSG_NOSIGNAL);
        close(stations[i].fd);
    }
    qsort(latencies, latency_count, sizeof *latencies, compare);
    printf("{\"answers\": %ld, \"seconds\": %.6f, \"connect_s\": %.4f, \"p50_ms\": %.4f, "
           "\"p99_ms\": %.4f, \"max_ms\": %.4f, \"errors\": %ld, \"calls\": %ld, "
           "\"client_busy\": %.4f, \"serial\": %llu}\n",
           answers, seconds, connect_s, percentile_ms(0.5), percentile_ms(0.99), percentile_ms(1),
           errors, calls_received, cpu / seconds, (unsigned long long)options.serial);
    return 0;
}
