/* Journal, position and history of the house: when they are written, and who waits for it. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "player/house_internal.h"

#define HARDWARE_FILE "hardware.json"
#define HARDWARE_MAX  ((size_t)64 * 1024)
#define SAVE_AGAIN_NS SECONDS(5) /* after a write that failed */
/* A dial that is turned must not wear out the disk with a long queue. */
#define SAVE_GAP_NS SECONDS(1)

static char *journal_now(struct house *h)
{
    struct journal_state s;
    jukebox_save(h->jukebox, &s);
    s.arguments = h->arguments;
    s.sync = venue_journal(h);
    s.is_joined = h->venue.is_joined;
    char *text = journal_text(&s);
    journal_state_finish(&s);
    return text;
}

static char *position_now(struct house *h)
{
    struct journal_position p;
    jukebox_save_position(h->jukebox, &p);
    return journal_position_text(&p);
}

static void journal_written(void *arg, uint64_t revision, int error)
{
    struct house *h = arg;
    if (error && !h->save_error)
        log_err(&h->log,
                "the queue cannot be saved in %s: %s. The music goes on; changes are lost when the "
                "power goes",
                h->state_dir, strerror(-error));
    else if (!error && h->save_error)
        log_info(&h->log, "the queue is saved again");
    h->save_error = error;
    h->save_again_ns = h->view.now_ns + (error ? SAVE_AGAIN_NS : SAVE_GAP_NS);
    if (!error) {
        h->saved_revision = revision;
        venue_saved(h);
    }
    clients_saved(h, revision, error);
    if (clients_wait(h) || (!error && venue_is_behind(h)))
        disk_save(h);
    house_quit_if_wanted(h);
}

void disk_load_hardware(const struct house *h, struct hardware_faults *out)
{
    char *path = xasprintf("%s/" HARDWARE_FILE, h->state_dir), *text = NULL;
    size_t len;
    *out = (struct hardware_faults){ 0 };
    if (twin_file_read(path, HARDWARE_MAX, &text, &len) == 0)
        hardware_faults_parse(out, text, len);
    free(text);
    free(path);
}

void disk_save_hardware(struct house *h)
{
    if (!h->is_stopping)
        saver_put(h->hardware, hardware_faults_text(jukebox_hardware_faults(h->jukebox)), 0);
}

void disk_open(struct house *h)
{
    char *journal = xasprintf("%s/" JOURNAL_FILE, h->state_dir);
    char *position = xasprintf("%s/" POSITION_FILE, h->state_dir);
    h->journal = saver_create(&(struct saver_params){
        .loop = &h->loop, .path = journal, .done = journal_written, .arg = h });
    h->position = saver_create(&(struct saver_params){ .loop = &h->loop, .path = position });
    char *hardware = xasprintf("%s/" HARDWARE_FILE, h->state_dir);
    h->hardware = saver_create(&(struct saver_params){ .loop = &h->loop, .path = hardware });
    free(hardware);
    h->history = history_create(&h->loop, h->state_dir, &h->log);
    free(journal);
    free(position);
}

void disk_save(struct house *h)
{
    uint64_t revision = jukebox_revision(h->jukebox);
    bool is_behind = revision != h->saved_revision || venue_is_behind(h);
    if (is_behind && !saver_is_busy(h->journal) && !h->is_stopping)
        saver_put(h->journal, journal_now(h), revision);
}

void disk_save_if_due(struct house *h)
{
    bool is_wanted = venue_is_behind(h) && !h->save_error; /* the backend waits for it */
    if (is_wanted || h->view.now_ns >= h->save_again_ns)
        disk_save(h);
}

void disk_save_position(struct house *h)
{
    if (!h->is_stopping)
        saver_put(h->position, position_now(h), 0);
}

void disk_finish(struct house *h)
{
    char *journal = journal_now(h), *position = position_now(h);
    uint64_t revision = jukebox_revision(h->jukebox);
    bool is_behind = revision != h->saved_revision || venue_is_behind(h);
    int ret = is_behind ? saver_put_now(h->journal, journal) : 0;
    if (ret == 0)
        ret = saver_put_now(h->position, position);
    if (ret < 0 && !h->save_error)
        log_err(&h->log, "the queue could not be saved in %s: %s", h->state_dir, strerror(-ret));
    history_flush(h->history);
    free(journal);
    free(position);
}
