#include "bench.h"

#include <gpool/base.h>

#include <math.h>

bench_verdict bench_judge(const bench_row *row)
{
    bool has_bar = row->bar.kind != BENCH_BAR_NONE;
    if (row->absent != NULL) {
        return row->quick || row->optional ? BENCH_NOT_JUDGED : BENCH_MISSED;
    }
    for (size_t i = 0; i < row->counter_count; ++i) {
        if (!(row->counters[i].value <= row->counters[i].most)) { /* NAN is no good value */
            return BENCH_MISSED;
        }
        has_bar = has_bar || isfinite(row->counters[i].most);
    }
    if (!has_bar) {
        return BENCH_WITHOUT_BAR;
    }
    if (row->bar.kind != BENCH_BAR_NONE &&
        (row->not_judged != NULL || (row->quick && row->pairs > 0))) {
        return BENCH_NOT_JUDGED;
    }
    switch (row->bar.kind) {
    case BENCH_BAR_RATIO_LEAST:
        return row->ratio >= row->bar.value ? BENCH_MET : BENCH_MISSED; /* NAN: not measured */
    case BENCH_BAR_OURS_MOST:
        return row->ours.median <= row->bar.value ? BENCH_MET : BENCH_MISSED;
    case BENCH_BAR_OURS_LEAST:
        return row->ours.median >= row->bar.value ? BENCH_MET : BENCH_MISSED;
    default:
        return BENCH_MET;
    }
}

void bench_print_heading(FILE *file)
{
    fprintf(file, "%-18s %12s %-16s %20s  %-26s %10s %8s  %s\n", "case", "ours", "unit",
            "10 % to 90 %", "peer", "value", "ratio", "bar");
}

static void report_print_bar(FILE *file, const bench_row *row)
{
    static const char *const verdicts[] = { "", "not judged", "met", "MISSED" };
    if (row->bar.kind != BENCH_BAR_NONE) {
        static const char *const bars[] = { "", "ratio >=", "ours <=", "ours >=" };
        fprintf(file, "%s %g: ", bars[row->bar.kind], row->bar.value);
    } else if (bench_judge(row) != BENCH_WITHOUT_BAR) {
        fputs("counters: ", file);
    }
    fputs(verdicts[bench_judge(row)], file);
    if (row->not_judged != NULL && bench_judge(row) == BENCH_NOT_JUDGED) {
        fprintf(file, ": %s", row->not_judged);
    }
}

void bench_print_row(FILE *file, const bench_row *row)
{
    if (row->absent != NULL) {
        fprintf(file, "%-18s not measured: %s; ", row->name, row->absent);
        report_print_bar(file, row);
        fputc('\n', file);
        return;
    }
    char spread[40] = "";
    char ratio[24] = "";
    char peer_value[24] = "";
    if (row->pairs > 0) {
        (void)snprintf(spread, sizeof spread, "%.4g to %.4g", row->ours.p10, row->ours.p90);
    }
    if (row->peer != NULL) {
        (void)snprintf(peer_value, sizeof peer_value, "%.4g", row->peer_spread.median);
    }
    if (isfinite(row->ratio)) {
        (void)snprintf(ratio, sizeof ratio, "%.3f", row->ratio);
    }
    fprintf(file, "%-18s %12.6g %-16s %20s  %-26s %10s %8s  ", row->name, row->ours.median,
            row->unit, spread, row->peer != NULL ? row->peer : "", peer_value, ratio);
    report_print_bar(file, row);
    fputc('\n', file);
    for (size_t i = 0; i < row->counter_count; ++i) {
        const bench_counter *counter = &row->counters[i];
        fprintf(file, "%18s   %s = %.10g", "", counter->name, counter->value);
        if (isfinite(counter->most)) {
            fprintf(file, " (at most %.10g%s)", counter->most,
                    counter->value <= counter->most ? "" : ", MISSED");
        }
        fputc('\n', file);
    }
    if (isfinite(row->our_instructions)) {
        fprintf(file, "%18s   instructions = %.1f", "", row->our_instructions);
        if (isfinite(row->peer_instructions)) {
            fprintf(file, ", of the peer %.1f", row->peer_instructions);
        }
        fputc('\n', file);
    }
}

/* A member with a number; null where there is none. */
static void report_json_number(FILE *file, const char *name, double value, const char *after)
{
    if (isfinite(value)) {
        fprintf(file, "\"%s\": %.10g%s", name, value, after);
    } else {
        fprintf(file, "\"%s\": null%s", name, after);
    }
}

static void report_json_spread(FILE *file, const bench_row *row)
{
    if (row->pairs == 0) {
        fputs("  \"spread\": null,\n", file);
        return;
    }
    const bool has_peer = row->peer != NULL;
    fputs("  \"spread\": {", file);
    report_json_number(file, "ours_p10", row->ours.p10, ", ");
    report_json_number(file, "ours_p90", row->ours.p90, ", ");
    report_json_number(file, "peer_p10", has_peer ? row->peer_spread.p10 : NAN, ", ");
    report_json_number(file, "peer_p90", has_peer ? row->peer_spread.p90 : NAN, ", ");
    report_json_number(file, "ratio_p10", row->ratio_p10, ", ");
    report_json_number(file, "ratio_p90", row->ratio_p90, "},\n");
}

static void report_json_text(FILE *file, const char *text, const char *after)
{
    if (text != NULL) {
        fprintf(file, "\"%s\"%s", text, after);
    } else {
        fprintf(file, "null%s", after);
    }
}

static void report_json_bar(FILE *file, const bench_row *row)
{
    static const char *const verdicts[] = { "null", "null", "true", "false" };
    const char *before = "";
    if (row->bar.kind == BENCH_BAR_NONE) {
        fputs("  \"bar\": null,\n", file);
    } else {
        const bool is_ratio = row->bar.kind == BENCH_BAR_RATIO_LEAST;
        const bool is_most = row->bar.kind == BENCH_BAR_OURS_MOST;
        fprintf(file, "  \"bar\": {\"of\": \"%s\", \"%s\": %g},\n", is_ratio ? "ratio" : "ours",
                is_most ? "most" : "least", row->bar.value);
    }
    fputs("  \"limits\": {", file);
    for (size_t i = 0; i < row->counter_count; ++i) {
        if (isfinite(row->counters[i].most)) {
            fprintf(file, "%s\"%s\": %.10g", before, row->counters[i].name, row->counters[i].most);
            before = ", ";
        }
    }
    fprintf(file, "},\n  \"met\": %s,\n  \"absent\": ", verdicts[bench_judge(row)]);
    report_json_text(file, row->absent, ",\n  \"not_judged\": ");
    report_json_text(file, row->not_judged, "\n");
}

static void report_json_values(FILE *file, const bench_counter *values, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        report_json_number(file, values[i].name, values[i].value, i + 1 < count ? ", " : "");
    }
}

/* Every string is a literal of ours or was made safe (bench_gpu.c), so none needs escapes. */
static void report_json_row(FILE *file, const bench_row *row)
{
    const bool has_peer = row->peer != NULL;
    fprintf(file, "{\n  \"case\": \"%s\",\n  \"unit\": \"%s\",\n  ", row->name, row->unit);
    report_json_number(file, "ours", row->absent == NULL ? row->ours.median : NAN, ",\n");
    if (has_peer) {
        fprintf(file, "  \"peer\": \"%s\",\n  ", row->peer);
    } else {
        fputs("  \"peer\": null,\n  ", file);
    }
    report_json_number(file, "peer_value", has_peer ? row->peer_spread.median : NAN, ",\n  ");
    report_json_number(file, "ratio", row->ratio, ",\n");
    fputs("  \"counters\": {", file);
    report_json_values(file, row->counters, row->counter_count);
    fprintf(file, "},\n  \"adapter\": \"%s\",\n  \"implementation\": \"%s\",\n", row->adapter,
            row->implementation);
    fprintf(file, "  \"pairs\": %u,\n  \"quick\": %s,\n", row->pairs,
            row->quick ? "true" : "false");
    report_json_spread(file, row);
    fputs("  \"instructions\": {", file);
    report_json_number(file, "ours", row->our_instructions, ", ");
    report_json_number(file, "peer", row->peer_instructions, "},\n");
    fprintf(file, "  \"gpool\": \"%s\",\n", gpool_version());
    if (row->detail_count > 0) {
        fputs("  \"details\": {", file);
        report_json_values(file, row->details, row->detail_count);
        fputs("},\n", file);
    }
    report_json_bar(file, row);
    fputs("}", file);
}

void bench_print_json(FILE *file, const bench_row *rows, size_t count)
{
    fputs("[", file);
    for (size_t i = 0; i < count; ++i) {
        fputs(i > 0 ? ",\n" : "\n", file);
        report_json_row(file, &rows[i]);
    }
    fputs("\n]\n", file);
}
