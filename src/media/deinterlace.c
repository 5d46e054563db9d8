#include "media/deinterlace.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/mathematics.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"

#define STRING(x)    STRING_OF(x)
#define STRING_OF(x) #x
#define LIBRARY      "libavfilter.so." STRING(LIBAVFILTER_VERSION_MAJOR)

/* What is called of libavfilter. */
struct filter_library {
    void *handle;
    __typeof__(avfilter_graph_alloc) *graph_alloc;
    __typeof__(avfilter_graph_free) *graph_free;
    __typeof__(avfilter_graph_create_filter) *graph_create_filter;
    __typeof__(avfilter_graph_config) *graph_config;
    __typeof__(avfilter_get_by_name) *get_by_name;
    __typeof__(avfilter_link) *link;
    __typeof__(av_buffersrc_add_frame_flags) *add_frame;
    __typeof__(av_buffersink_get_frame) *get_frame;
    __typeof__(av_buffersink_get_time_base) *get_time_base;
};

struct deinterlace {
    AVRational time_base;
    const struct log *log;
    struct filter_library lib;
    AVFilterGraph *graph;           /* NULL: pictures pass unchanged */
    AVFilterContext *source, *sink; /* owned by graph */
    int width, height, format;      /* of the pictures the graph is made for */
    AVFrame *passing;               /* a picture passing unchanged; NULL: none */
    bool is_broken, is_ended;
};

static bool find(void *handle, const char *name, void *function)
{
    void *found = dlsym(handle, name);
    *(void **)function = found;
    return found != NULL;
}

static bool library_open(struct filter_library *l)
{
    void *h = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!h)
        return false;
    l->handle = h;
    return find(h, "avfilter_graph_alloc", &l->graph_alloc) &&
           find(h, "avfilter_graph_free", &l->graph_free) &&
           find(h, "avfilter_graph_create_filter", &l->graph_create_filter) &&
           find(h, "avfilter_graph_config", &l->graph_config) &&
           find(h, "avfilter_get_by_name", &l->get_by_name) && find(h, "avfilter_link", &l->link) &&
           find(h, "av_buffersrc_add_frame_flags", &l->add_frame) &&
           find(h, "av_buffersink_get_frame", &l->get_frame) &&
           find(h, "av_buffersink_get_time_base", &l->get_time_base);
}

struct deinterlace *deinterlace_create(AVRational time_base, const struct log *log)
{
    struct deinterlace *d = xcalloc(1, sizeof(*d));
    d->time_base = time_base;
    d->log = log;
    d->is_broken = !library_open(&d->lib);
    if (d->is_broken)
        log_warn(log, "%s cannot be used: interlaced pictures are shown as they are", LIBRARY);
    return d;
}

void deinterlace_destroy(struct deinterlace *d)
{
    if (!d)
        return;
    if (d->graph)
        d->lib.graph_free(&d->graph);
    av_frame_free(&d->passing);
    /* The library stays loaded: its threads' data may outlive the graph. */
    free(d);
}

static int make_graph(struct deinterlace *d, const AVFrame *f)
{
    const struct filter_library *l = &d->lib;
    char args[160];
    snprintf(args, sizeof(args), "video_size=%dx%d:pix_fmt=%d:time_base=%d/%d:pixel_aspect=%d/%d",
             f->width, f->height, f->format, d->time_base.num, d->time_base.den,
             f->sample_aspect_ratio.num > 0 ? f->sample_aspect_ratio.num : 0,
             f->sample_aspect_ratio.den > 0 ? f->sample_aspect_ratio.den : 1);
    l->graph_free(&d->graph);
    d->graph = l->graph_alloc();
    if (!d->graph)
        return AVERROR(ENOMEM);
    AVFilterContext *bwdif;
    int ret =
        l->graph_create_filter(&d->source, l->get_by_name("buffer"), "in", args, NULL, d->graph);
    if (ret >= 0)
        ret = l->graph_create_filter(&d->sink, l->get_by_name("buffersink"), "out", NULL, NULL,
                                     d->graph);
    if (ret >= 0)
        ret =
            l->graph_create_filter(&bwdif, l->get_by_name("bwdif"), "bwdif",
                                   "mode=send_frame:parity=auto:deint=interlaced", NULL, d->graph);
    if (ret >= 0)
        ret = l->link(d->source, 0, bwdif, 0);
    if (ret >= 0)
        ret = l->link(bwdif, 0, d->sink, 0);
    if (ret >= 0)
        ret = l->graph_config(d->graph, NULL);
    if (ret < 0) {
        l->graph_free(&d->graph);
        return ret;
    }
    d->width = f->width;
    d->height = f->height;
    d->format = f->format;
    return 0;
}

int deinterlace_send(struct deinterlace *d, AVFrame *f)
{
    int ret = 0;
    if (!f) {
        d->is_ended = true;
        return d->graph ? d->lib.add_frame(d->source, NULL, 0) : 0;
    }
    bool is_other = f->width != d->width || f->height != d->height || f->format != d->format;
    if (!d->is_broken && (!d->graph || is_other)) {
        ret = make_graph(d, f);
        d->is_broken = ret < 0;
        if (ret < 0)
            log_warn(d->log, "interlaced pictures of this kind are shown as they are: %s",
                     av_err2str(ret));
    }
    if (d->graph)
        return d->lib.add_frame(d->source, f, 0);
    if (!d->passing)
        d->passing = av_frame_alloc();
    if (d->passing) {
        av_frame_unref(d->passing);
        av_frame_move_ref(d->passing, f);
    }
    return 0;
}

int deinterlace_receive(struct deinterlace *d, AVFrame *out)
{
    if (!d->graph) {
        if (!d->passing || !d->passing->buf[0])
            return d->is_ended ? AVERROR_EOF : AVERROR(EAGAIN);
        av_frame_move_ref(out, d->passing);
        return 0;
    }
    int ret = d->lib.get_frame(d->sink, out);
    if (ret >= 0 && out->pts != AV_NOPTS_VALUE)
        out->pts = av_rescale_q(out->pts, d->lib.get_time_base(d->sink), d->time_base);
    return ret < 0 ? ret : 0;
}
