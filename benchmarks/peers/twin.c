/* The twin's events in C, on the very arrays that joinery/calc/twin/world.py makes: what the kernel is measured by.
   Compiled on the spot with gcc -O3 -march=native -ffp-contract=off. It writes no log. */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct { uint64_t seed, rep; bool antithetic; double warmup, end, arrival; int64_t stream, arrived, rate_day;
                 double rate_left; int64_t day, events, pending, free, logged; } Clock;
typedef struct { double last, used_days, ready_days, waiting_days;
                 int64_t places, used, people, ready, waiting, head, tail, serve_next;
                 bool listed, turns_away; uint8_t first_visits, last_visits; } Station;
typedef struct { int64_t form; double scale, spread, occupied_days, waited_days;
                 int64_t waited_over_12h, arrivals, turned_away, admissions; } Cell;
typedef struct { double share; bool holds; int64_t moves; double delayed_days; } Way;
typedef struct { double asked, since, part; uint32_t id, stage; int32_t next;
                 uint8_t band; int8_t at; uint8_t to, visits; } Person;
typedef struct { double time; int64_t person; } Event;
typedef struct { Clock *clock; Station *stations; Cell *cells; Way *ways; Person *persons; Event *heap;
                 int64_t home, bands, days, streams;
                 const int64_t *places; const double *rates, *shares; const int64_t *stream_to, *stream_band;
                 int32_t *midnights; } World;
typedef struct { double u, v; } Pair;

enum { NOBODY = -1, NOWHERE = -1, GONE = -2 };
enum { EXPONENTIAL, LOGNORMAL, FIXED };
enum { SERVICE, HOME, ARRIVAL };

#define CELL(at, band) w->cells[(at) * w->bands + (band)]
#define WAY(at, band, to) w->ways[((at) * w->bands + (band)) * (w->home + 2) + (to)]

static inline Pair uniforms(World *w, uint32_t person, uint32_t stage, uint32_t purpose)
{
    uint32_t c0 = person, c1 = stage, c2 = purpose, c3 = 0, k0 = w->clock->seed, k1 = w->clock->rep;
    for (int round = 0; round < 10; round++) {
        uint64_t first = (uint64_t)0xD2511F53 * c0, second = (uint64_t)0xCD9E8D57 * c2;
        c0 = (uint32_t)(second >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)second;
        c2 = (uint32_t)(first >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)first;
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    Pair pair = { ((double)((((uint64_t)c0 << 32) | c1) >> 12) + 0.5) * 0x1p-52,
                  ((double)((((uint64_t)c2 << 32) | c3) >> 12) + 0.5) * 0x1p-52 };
    if (w->clock->antithetic) { pair.u = 1.0 - pair.u; pair.v = 1.0 - pair.v; }
    return pair;
}

static inline double normal_quantile(double p)
{
    if (0.02425 <= p && p <= 0.97575) {
        double q = p - 0.5, r = q * q;
        double above = -3.969683028665376e01 * r + 2.209460984245205e02;
        above = ((above * r - 2.759285104469687e02) * r + 1.383577518672690e02) * r - 3.066479806614716e01;
        double below = -5.447609879822406e01 * r + 1.615858368580409e02;
        below = ((below * r - 1.556989798598866e02) * r + 6.680131188771972e01) * r - 1.328068155288572e01;
        return q * (above * r + 2.506628277459239e00) / (below * r + 1.0);
    }
    double q = sqrt(-2.0 * log(p < 1.0 - p ? p : 1.0 - p));
    double above = -7.784894002430293e-03 * q - 3.223964580411365e-01;
    above = ((above * q - 2.400758277161838e00) * q - 2.549732539343734e00) * q + 4.374664141464968e00;
    double below = 7.784695709041462e-03 * q + 3.224671290700398e-01;
    below = (below * q + 2.445134137142996e00) * q + 3.754408661907416e00;
    double z = (above * q + 2.938163982698783e00) / (below * q + 1.0);
    return p < 0.5 ? z : -z;
}

static inline double stay_days(const Cell *cell, double longer)
{
    if (cell->form == EXPONENTIAL) return -cell->scale * log(longer);
    if (cell->form == LOGNORMAL) return exp(cell->scale - cell->spread * normal_quantile(longer));
    return cell->scale;
}

static inline int destination(World *w, int at, int band, double u)
{
    int to = 0;
    while (u > WAY(at, band, to).share) to++;
    return to;
}

static inline void push(World *w, double time, int64_t person)
{
    Event *heap = w->heap;
    int64_t at = w->clock->pending++;
    while (at > 0) {
        int64_t above = (at - 1) >> 2;
        if (heap[above].time <= time) break;
        heap[at] = heap[above];
        at = above;
    }
    heap[at] = (Event){ time, person };
}

static inline int64_t pop(World *w)
{
    Event *heap = w->heap;
    int64_t person = heap[0].person, size = --w->clock->pending, at = 0;
    Event last = heap[size];
    heap[size].time = INFINITY;
    while (4 * at + 1 < size) {
        int64_t child = 4 * at + 1;
        double one = heap[child].time, two = heap[child + 1].time;
        double three = heap[child + 2].time, four = heap[child + 3].time;
        double left = two < one ? two : one, right = four < three ? four : three;
        if (last.time <= (right < left ? right : left)) break;
        int64_t first = left <= right ? child + (two < one) : child + 2 + (four < three);
        heap[at] = heap[first];
        at = first;
    }
    heap[at] = last;
    return person;
}

static inline double later(double a, double b) { return a > b ? a : b; }

static inline void settle(World *w, Station *station, double time)
{
    double warmup = w->clock->warmup;
    if (time > warmup) {
        double days = time - later(station->last, warmup);
        station->used_days += station->used * days;
        station->ready_days += station->ready * days;
        station->waiting_days += station->waiting * days;
    }
    station->last = time;
}

static inline void seat(World *w, int64_t number, int at, double time, double days, double longer)
{
    Person *person = &w->persons[number];
    Station *station = &w->stations[at];
    settle(w, station, time);
    int64_t first = station->first_visits, last = station->last_visits;
    double part = stay_days(&CELL(at, person->band), longer) / (first - last + 1);
    int64_t past = (int64_t)(days / part);
    if (past > first - last) past = first - last;
    station->people++;
    station->used += first - past;
    person->at = at;
    person->since = time;
    person->part = part;
    person->visits = first - past;
    push(w, later(time, time + (part * (past + 1) - days)), number);
}

static inline void admit(World *w, int64_t number, int at, double time)
{
    Person *person = &w->persons[number];
    if (time >= w->clock->warmup) {
        Cell *cell = &CELL(at, person->band);
        double waited = time - person->asked;
        cell->admissions++;
        cell->waited_days += waited;
        if (waited > 0.5) cell->waited_over_12h++;
    }
    Pair pair = uniforms(w, person->id, person->stage, SERVICE);
    person->to = destination(w, at, person->band, pair.v);
    seat(w, number, at, time, 0.0, 1.0 - pair.u);
}

static inline void leave(World *w, int64_t number, int to, double time)
{
    Person *person = &w->persons[number];
    Station *station = &w->stations[person->at];
    double warmup = w->clock->warmup;
    settle(w, station, time);
    station->people--;
    station->used -= person->visits;
    if (time >= warmup) {
        CELL(person->at, person->band).occupied_days += time - later(person->since, warmup);
        WAY(person->at, person->band, to).moves++;
    }
    person->at = NOWHERE;
}

static inline void forget(World *w, int64_t number)
{
    w->persons[number].at = GONE;
    w->persons[number].next = w->clock->free;
    w->clock->free = number;
}

static inline void end_delay(World *w, Person *person, int to, double time)
{
    double warmup = w->clock->warmup;
    if (time > warmup) WAY(person->at, person->band, to).delayed_days += time - later(person->asked, warmup);
}

static inline int list_to_serve(World *w, int at, int before)
{
    w->stations[at].listed = true;
    w->stations[at].serve_next = before;
    return at;
}

static inline void serve(World *w, int at, double time)
{
    while (at != NOWHERE) {
        Station *station = &w->stations[at];
        int more = station->serve_next;
        station->listed = false;
        while (station->head != NOBODY && station->places - station->used >= station->first_visits) {
            int64_t number = station->head;
            Person *person = &w->persons[number];
            settle(w, station, time);
            station->waiting--;
            station->head = person->next;
            int held = person->at;
            if (held != NOWHERE) {
                end_delay(w, person, at, time);
                leave(w, number, at, time);
                w->stations[held].ready--;
                if (!w->stations[held].listed) more = list_to_serve(w, held, more);
            }
            admit(w, number, at, time);
        }
        at = more;
    }
}

static inline void ask(World *w, int64_t number, int to, double time)
{
    Person *person = &w->persons[number];
    Station *station = &w->stations[to];
    person->asked = time;
    if (station->turns_away && person->at == NOWHERE
        && (station->head != NOBODY || station->places - station->used < station->first_visits)) {
        if (time >= w->clock->warmup) CELL(to, person->band).turned_away++;
        forget(w, number);
        return;
    }
    settle(w, station, time);
    station->waiting++;
    person->next = NOBODY;
    if (station->head == NOBODY) station->head = number;
    else w->persons[station->tail].next = number;
    station->tail = number;
    if (person->at != NOWHERE) {
        settle(w, &w->stations[person->at], time);
        w->stations[person->at].ready++;
    }
}

static inline void go_home(World *w, int64_t number, double time)
{
    Person *person = &w->persons[number];
    Pair pair = uniforms(w, person->id, person->stage++, HOME);
    int to = destination(w, w->home, person->band, pair.u);
    if (to < w->home) {
        person->to = to;
        push(w, time + stay_days(&CELL(w->home, person->band), 1.0 - pair.v), number);
        return;
    }
    if (time >= w->clock->warmup) WAY(w->home, person->band, to).moves++;
    forget(w, number);
}

static inline void happen(World *w, int64_t number, double time, int *asked, int *freed)
{
    Person *person = &w->persons[number];
    int at = person->at, to = person->to;
    *asked = *freed = NOWHERE;
    if (at == NOWHERE) {
        if (time >= w->clock->warmup) WAY(w->home, person->band, to).moves++;
        *asked = to;
        return;
    }
    if (person->visits > w->stations[at].last_visits) {
        settle(w, &w->stations[at], time);
        w->stations[at].used--;
        person->visits--;
        push(w, time + person->part, number);
        *freed = at;
        return;
    }
    person->stage++;
    if (WAY(at, person->band, to).holds) { *asked = to; return; }
    leave(w, number, to, time);
    *freed = at;
    if (to < w->home) *asked = to;
    else if (to == w->home) go_home(w, number, time);
    else forget(w, number);
}

static inline void plan_arrival(World *w)
{
    Clock *clock = w->clock;
    Pair pair = uniforms(w, clock->arrived, 0, ARRIVAL);
    double need = -log(1.0 - pair.u), left = clock->rate_left;
    int64_t day = clock->rate_day;
    while (day < w->days && need > w->rates[day] * left) {
        need -= w->rates[day++] * left;
        left = 1.0;
    }
    if (day == w->days) { clock->arrival = INFINITY; return; }
    left -= need / w->rates[day];
    int stream = 0;
    while (pair.v > w->shares[day * w->streams + stream]) stream++;
    clock->arrival = day + 1 - left;
    clock->stream = stream;
    clock->rate_day = day;
    clock->rate_left = left;
}

static inline int64_t enter(World *w, uint32_t id, int band)
{
    int64_t number = w->clock->free;
    Person *person = &w->persons[number];
    w->clock->free = person->next;
    person->id = id;
    person->stage = 0;
    person->band = band;
    person->at = NOWHERE;
    person->next = NOBODY;
    return number;
}

static inline void write_midnight(World *w)
{
    for (int at = 0; at < w->home; at++) {
        Station *station = &w->stations[at];
        int32_t *row = &w->midnights[(w->clock->day * w->home + at) * 3];
        row[0] = station->people;
        row[1] = station->ready;
        row[2] = station->waiting;
    }
}

static inline int begin_day(World *w)
{
    int first = NOWHERE;
    for (int at = 0; at < w->home; at++) {
        w->stations[at].places = w->places[w->clock->day * w->home + at];
        first = list_to_serve(w, at, first);
    }
    w->clock->day++;
    return first;
}

static void close_doors(World *w, int64_t persons)
{
    double end = w->clock->end, warmup = w->clock->warmup;
    for (int64_t number = 0; number < persons; number++) {
        Person *person = &w->persons[number];
        if (person->at >= 0) CELL(person->at, person->band).occupied_days += end - later(person->since, warmup);
    }
    for (int at = 0; at < w->home; at++) {
        settle(w, &w->stations[at], end);
        for (int64_t number = w->stations[at].head; number != NOBODY; number = w->persons[number].next)
            if (w->persons[number].at != NOWHERE) end_delay(w, &w->persons[number], at, end);
    }
}

/* Go on from a world that joinery's `start` made: 1 at the end, 0 where no record is free for who arrives. */
int go_on(World *w, int64_t persons)
{
    Clock *clock = w->clock;
    for (;;) {
        double arrival = clock->arrival, day = clock->day;
        double first = clock->pending > 0 ? w->heap[0].time : INFINITY;
        double time = arrival < day ? arrival : day;
        if (first < time) time = first;
        if (time >= clock->end) { write_midnight(w); close_doors(w, persons); return 1; }
        int64_t number = NOBODY;
        int to = NOWHERE, list = NOWHERE;
        if (arrival <= day && arrival <= first) {
            if (clock->free == NOBODY) return 0;
            to = w->stream_to[clock->stream];
            int band = w->stream_band[clock->stream];
            number = enter(w, clock->arrived, band);
            if (time >= clock->warmup) CELL(to, band).arrivals++;
            clock->arrived++;
            plan_arrival(w);
            clock->events++;
        } else if (day <= first) {
            write_midnight(w);
            list = begin_day(w);
        } else {
            int freed;
            number = pop(w);
            happen(w, number, time, &to, &freed);
            if (freed != NOWHERE) list = list_to_serve(w, freed, NOWHERE);
            clock->events++;
        }
        if (to != NOWHERE) {
            ask(w, number, to, time);
            if (to != list) list = list_to_serve(w, to, list);
        }
        serve(w, list, time);
    }
}
