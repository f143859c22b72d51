/*
 * compare_screen <picture.png> <x> <y> <seconds>: is the picture on the X screen at that place?
 * Waits for it at most so long. Exit code 0 when the mean difference of a channel is small, and
 * the same measure tells an upside-down, a mirrored and an empty picture apart.
 */
#define _POSIX_C_SOURCE 200809L
#include "picture.h"

#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Of 255. The same frame is equal to the last bit; the window's picture may round otherwise. */
#define COMPARE_LIMIT 0.5

/* How the screen is read: as it is, or changed so that it must not match. */
typedef enum compare_view {
    COMPARE_AS_IS,
    COMPARE_UPSIDE_DOWN,
    COMPARE_MIRRORED,
    COMPARE_EMPTY
} compare_view;

static int channel_of(unsigned long pixel, unsigned long mask)
{
    unsigned long value = pixel & mask;
    while ((mask & 1u) == 0) {
        mask >>= 1;
        value >>= 1;
    }
    return (int)(value * 255u / mask);
}

static double mean_difference(const picture *expected, XImage *screen, compare_view view)
{
    const unsigned long masks[3] = { screen->red_mask, screen->green_mask, screen->blue_mask };
    double sum = 0.0;
    for (uint32_t y = 0; y < expected->height; ++y) {
        for (uint32_t x = 0; x < expected->width; ++x) {
            uint32_t from_x = view == COMPARE_MIRRORED ? expected->width - 1u - x : x;
            uint32_t from_y = view == COMPARE_UPSIDE_DOWN ? expected->height - 1u - y : y;
            unsigned long pixel =
                view == COMPARE_EMPTY ? 0 : XGetPixel(screen, (int)from_x, (int)from_y);
            const uint8_t *texel = expected->texels + ((size_t)y * expected->width + x) * 4u;
            for (int c = 0; c < 3; ++c) {
                sum += abs(channel_of(pixel, masks[c]) - texel[c]);
            }
        }
    }
    return sum / (3.0 * expected->width * expected->height);
}

static XImage *grab(Display *display, int x, int y, const picture *expected)
{
    Window root = DefaultRootWindow(display);
    XWindowAttributes screen;
    XGetWindowAttributes(display, root, &screen);
    if (x < 0 || y < 0 || x + (int)expected->width > screen.width ||
        y + (int)expected->height > screen.height) {
        fprintf(stderr, "compare_screen: the window is not wholly on the screen\n");
        return NULL;
    }
    return XGetImage(display, root, x, y, expected->width, expected->height, AllPlanes, ZPixmap);
}

/* Looks again and again, for what was presented is shown a little later. */
static int wait_for_match(Display *display, const picture *expected, int x, int y, double seconds)
{
    for (double waited = 0.0;; waited += 0.1) {
        XImage *screen = grab(display, x, y, expected);
        if (screen == NULL) {
            return 1;
        }
        double found = mean_difference(expected, screen, COMPARE_AS_IS);
        if (found <= COMPARE_LIMIT || waited >= seconds) {
            double others[3];
            int wrong = found > COMPARE_LIMIT;
            for (int view = COMPARE_UPSIDE_DOWN; view <= COMPARE_EMPTY; ++view) {
                others[view - 1] = mean_difference(expected, screen, (compare_view)view);
                wrong = wrong || others[view - 1] < 10.0 * COMPARE_LIMIT;
            }
            printf(
                "mean difference %.4f (limit %.1f); upside down %.1f, mirrored %.1f, empty %.1f\n",
                found, COMPARE_LIMIT, others[0], others[1], others[2]);
            XDestroyImage(screen);
            return wrong;
        }
        XDestroyImage(screen);
        nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
    }
}

int main(int argc, char **argv)
{
    picture expected;
    if (argc != 5 || !picture_read(&expected, argv[1])) {
        fprintf(stderr, "usage: compare_screen <picture.png> <x> <y> <seconds>\n");
        return 2;
    }
    int code = 1;
    Display *display = XOpenDisplay(NULL);
    if (display != NULL) {
        code = wait_for_match(display, &expected, atoi(argv[2]), atoi(argv[3]), atof(argv[4]));
        XCloseDisplay(display);
    } else {
        fprintf(stderr, "compare_screen: there is no display\n");
    }
    picture_fini(&expected);
    return code;
}
