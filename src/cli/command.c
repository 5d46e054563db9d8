#include "cli/command.h"

#include <string.h>

#include "base/compiler.h"
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/commands.h"

#define ANY_NUMBER SIZE_MAX
#define START_OPTIONS                                                                              \
    (ARG_BIT(ARG_SIZE) | ARG_BIT(ARG_OUTPUTS) | ARG_BIT(ARG_CONFIG) | ARG_BIT(ARG_SET))

#define HUB_OPTIONS                                                                                \
    (ARG_BIT(ARG_JSON) | ARG_BIT(ARG_DATA) | ARG_BIT(ARG_CONFIG) | ARG_BIT(ARG_SET) |              \
     ARG_BIT(ARG_STATE_DIR) | ARG_BIT(ARG_ROLE) | ARG_BIT(ARG_PASSWORD_FILE) |                     \
     ARG_BIT(ARG_ENDPOINT) | ARG_BIT(ARG_PROJECT) | ARG_BIT(ARG_DATABASE) | ARG_BIT(ARG_VENUE) |   \
     ARG_BIT(ARG_KEY_FILE))

#define ENTRY_HELP                                                                                 \
    "ENTRY is main:N or requests:N as `djamms queue` shows it, or the id or key of an entry\n"     \
    "(`djamms queue --json`).\n"

/* In the order of the overview. */
static const struct command commands[] = {
    { "play", "FILE|DIR...", "play files here and now, without a jukebox",
      "Plays in a zone of its own and ends after the last file. Keys, here or in the window:\n"
      "space pause, n or right next, up and down volume, m mute, q or escape quit. In a terminal\n"
      "the last line shows what plays, and of the log only warnings and errors are seen unless\n"
      "--set log.level=info or another setting wants more. Without a window system it fills the\n"
      "screen. Exit status 1: something could not be played; sentences at the end name the "
      "files.\n",
      1, ANY_NUMBER,
      START_OPTIONS | ARG_BIT(ARG_FULLSCREEN) | ARG_BIT(ARG_WINDOW) | ARG_BIT(ARG_LOOP), NULL,
      play_run },
    { "up", "[FILE|DIR...]", "start the jukebox in this terminal",
      "Starts player, decks, stage and hub (hub.enabled), restarts one that dies and ends all on\n"
      "Ctrl-C. The files are added to the queue, which is kept from one start to the next.\n",
      0, ANY_NUMBER,
      START_OPTIONS | ARG_BIT(ARG_WINDOW) | ARG_BIT(ARG_FULLSCREEN) | ARG_BIT(ARG_STATE_DIR), NULL,
      up_run },
    { "status", "", "what plays, what follows, screens and processes", NULL, 0, 0,
      ARG_BIT(ARG_JSON) | ARG_BIT(ARG_WATCH) | ARG_BIT(ARG_LATENCY), NULL, status_run },
    { "queue", "", "all entries of the queue", NULL, 0, 0, ARG_BIT(ARG_JSON), NULL, queue_run },
    { "add", "FILE|DIR|ID|URL...", "add files, folders, known tracks or addresses to the queue",
      "Folders are searched with all below them, in the order a person would count: 2 before 10.\n"
      "ID is the id or key of an entry of the queue, or an id of the library as `djamms search`\n"
      "shows it: a YouTube id, of files named like `Artist - Title -- ID.mp4`, or file: and a\n"
      "number. An ID that begins with - goes behind --.\n"
      "URL is the address of a video, or of a page with one: it is fetched and plays when it is\n"
      "here; others play meanwhile. Guests (--request) may name YouTube only, which the setting\n"
      "youtube.enabled turns on.\n",
      1, ANY_NUMBER, ARG_BIT(ARG_NEXT) | ARG_BIT(ARG_REQUEST) | ARG_BIT(ARG_JSON), NULL, add_run },
    { "search", "WORDS...", "find songs of the library, best first",
      "The library is what lies below the folders of library.paths, and on USB sticks with\n"
      "library.removable. All words must be in artist or title; the last may be the beginning of\n"
      "one. Case and accents make no difference. Exit status 1: nothing was found.\n",
      1, ANY_NUMBER, ARG_BIT(ARG_JSON) | ARG_BIT(ARG_LIMIT), NULL, search_run },
    { "skip", "", "go on to the next track", NULL, 0, 0, 0, NULL, skip_run },
    { "pause", "", "pause", NULL, 0, 0, 0, NULL, pause_run },
    { "resume", "", "go on after a pause", NULL, 0, 0, 0, NULL, resume_run },
    { "seek", "SECONDS|M:SS|+N|-N", "go to a position, or by so much", NULL, 1, 1, 0, NULL,
      seek_run },
    { "volume", "[N|+N|-N]", "show or set the volume, 0 to 100", NULL, 0, 1, ARG_BIT(ARG_JSON),
      NULL, volume_run },
    { "mute", "[on|off]", "mute, or the other way round", NULL, 0, 1, 0, "on off", mute_run },
    { "subtitles", "on|off|status", "show the subtitles or lyrics that a song has, or not",
      "They are taken from a file beside the song (song.srt, song.de.ass, .ssa, .vtt, .lrc), else\n"
      "from its own text streams; subtitles.languages says which are preferred. Those that are\n"
      "pictures, as on DVD and Blu-ray, are not shown. The choice is kept.\n",
      1, 1, ARG_BIT(ARG_JSON), "on off status", subtitles_run },
    { "remove", "ENTRY", "take an entry out of the queue", ENTRY_HELP, 1, 1, 0, NULL, remove_run },
    { "move", "ENTRY INDEX", "move an entry within its list",
      ENTRY_HELP "INDEX counts from 0, where the playing entry stays.\n", 2, 2, ARG_BIT(ARG_JSON),
      NULL, move_run },
    { "promote", "ENTRY", "let an entry be the next of its list", ENTRY_HELP, 1, 1,
      ARG_BIT(ARG_JSON), NULL, promote_run },
    { "play-now", "ENTRY", "cut to an entry at once", ENTRY_HELP, 1, 1, 0, NULL, play_now_run },
    { "shuffle", "", "mix the main list", NULL, 0, 0, 0, NULL, shuffle_run },
    { "clear", "[main|requests|all]", "empty a list (main unless named)",
      "What plays goes on to its end.\n", 0, 1, 0, "main requests all", clear_run },
    { "history", "", "what was played, in local time", NULL, 0, 0,
      ARG_BIT(ARG_JSON) | ARG_BIT(ARG_LIMIT), NULL, history_run },
    { "screenshot", "FILE", "write what a screen shows as a PNG file", NULL, 1, 1,
      ARG_BIT(ARG_OUTPUT), NULL, screenshot_run },
    { "metrics", "", "the figures of the jukebox for Prometheus",
      "Prints them in its text format. metrics.file has them written to a file all the time.\n", 0,
      0, 0, NULL, metrics_run },
    { "doctor", "", "check this machine and say what to do",
      "Checks programs, settings, library, cache, display, sound, inputs, fonts, space, memory,\n"
      "heat, power, clock, yt-dlp, and where they are there the services and the jukebox with its\n"
      "backend, with the settings that `djamms up` has with the same options. Exit status 1: "
      "there\n"
      "is a problem. Warnings do not count as one.\n",
      0, 0, ARG_BIT(ARG_JSON) | ARG_BIT(ARG_STATE_DIR) | ARG_BIT(ARG_CONFIG) | ARG_BIT(ARG_SET),
      NULL, doctor_run },
    { "logs", "[FILE]", "what the jukebox that systemd runs has written to its log",
      "Reads the journal with journalctl: root and the groups adm and systemd-journal may. Each\n"
      "line carries its program as _SYSTEMD_UNIT and DJAMMS_MODULE, DJAMMS_ZONE, and of a deck\n"
      "DJAMMS_DECK; --json shows them. `djamms up` writes its log to its terminal instead.\n"
      "--summary counts songs, restarts, late pictures, errors by their kind and more; with FILE\n"
      "those of a log that was kept with `djamms up 2> FILE`, from its beginning. As a service it\n"
      "is done each morning, and is in the log itself.\n",
      0, 1,
      ARG_BIT(ARG_JSON) | ARG_BIT(ARG_FOLLOW) | ARG_BIT(ARG_SINCE) | ARG_BIT(ARG_LIMIT) |
          ARG_BIT(ARG_SUMMARY),
      NULL, logs_run },
    { "config", "check [FILE]|example|show", "check, explain or show the settings",
      "check    reads a settings file and names every mistake with its line\n"
      "example  prints a commented file with every setting at its default\n"
      "show     prints the settings in force here\n",
      1, 2, ARG_BIT(ARG_JSON) | ARG_BIT(ARG_CONFIG) | ARG_BIT(ARG_SET), "check example show",
      config_run },
    { "cache", "list|pin|unpin|verify|prune [ID]", "fetched media on this disk",
      "list          what is there, how often it was played, and why it is kept\n"
      "pin ID        keeps it whatever else needs room; ID is a key or id that list shows\n"
      "unpin ID      lets it go again when room is needed\n"
      "verify        drops what is damaged and says so; with --deep reads every byte\n"
      "prune         lets go what is too much for the settings, or more with --to\n"
      "What is pinned or in the queue always stays. It works with and without a jukebox.\n",
      1, 2,
      ARG_BIT(ARG_JSON) | ARG_BIT(ARG_DEEP) | ARG_BIT(ARG_TO) | ARG_BIT(ARG_CONFIG) |
          ARG_BIT(ARG_SET),
      "list pin unpin verify prune", cache_run },
    { "extractor", "status|update|rollback [WORD]",
      "yt-dlp, kept up to date over a channel of its own",
      "status           which version is used, from where, and what the channel gave\n"
      "update [again]   gets the newest version of extractor.channel, tries it, and uses it if it\n"
      "                 works; again: also one that was refused before\n"
      "rollback [WHY]   goes back to the version before, at last to the system's own\n"
      "Whatever goes wrong, the version in use stays so. A running jukebox takes a new one up\n"
      "between two songs, looks at the channel by itself, and goes back when one fails in use.\n",
      1, 2, ARG_BIT(ARG_JSON) | ARG_BIT(ARG_CONFIG) | ARG_BIT(ARG_SET) | ARG_BIT(ARG_STATE_DIR),
      "status update rollback", extractor_run },
    { "hub", "user|key|token|claim|backup|restore|import [WORD|FILE]...",
      "accounts and data of the hub, the backend of this house",
      "user add EMAIL --role owner|staff|guest --password-file FILE\n"
      "user list; user remove EMAIL|ID; user password EMAIL --password-file FILE\n"
      "key add NAME; key list; key remove NAME    API keys for programs\n"
      "token EMAIL          signs that user in once, within 15 minutes, as `djamms pair` does\n"
      "claim                shows the code that claims a hub without owner\n"
      "backup FILE          writes the whole hub to a new file, also while it runs\n"
      "restore FILE         puts a backup in place, only while no hub runs\n"
      "import --endpoint URL --project ID --database ID [--venue ID] [--key-file FILE]\n"
      "                     copies a venue of an Appwrite server into the hub\n"
      "The FILE of a password or key holds nothing else.\n",
      1, ANY_NUMBER, HUB_OPTIONS, "user key token claim backup restore import", hub_run },
    { "pair", "[EMAIL]", "sign this box in to the venue's server",
      "With backend.kind = appwrite: asks for the password of EMAIL, or reads it from\n"
      "--password-file; or takes a one-time token that the server made for an account, as\n"
      "`djamms hub token` and Appwrite's users.createToken() do: USERID:SECRET in one line. Keeps\n"
      "the session, nothing else, below the state folder (mode 0600). A running jukebox takes it\n"
      "up at once.\n",
      0, 1,
      ARG_BIT(ARG_PASSWORD_FILE) | ARG_BIT(ARG_TOKEN) | ARG_BIT(ARG_TOKEN_FILE) |
          ARG_BIT(ARG_CONFIG) | ARG_BIT(ARG_SET) | ARG_BIT(ARG_STATE_DIR),
      NULL, pair_run },
    { "completion", "bash|zsh", "print the completion script of a shell", NULL, 1, 1, 0, "bash zsh",
      completion_run },
    { "help", "[COMMAND]", "show help", NULL, 0, 1, 0, NULL, help_run },
};

size_t command_count(void)
{
    return ARRAY_LEN(commands);
}

const struct command *command_at(size_t i)
{
    return &commands[i];
}

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

static void write_options(uint64_t options, const struct term *term)
{
    struct table t;
    table_init(&t, 2, 1);
    t.indent = 2;
    for (int i = 0; i < ARG_OPTIONS; i++) {
        if (!(options & ARG_BIT(i)))
            continue;
        const struct arg_spec *spec = arg_spec((enum arg_option)i);
        char name[64], letter[8] = "    ";
        if (spec->letter)
            snprintf(letter, sizeof(letter), "-%c, ", spec->letter);
        snprintf(name, sizeof(name), "%s--%s%s%s", letter, spec->name, spec->value ? " " : "",
                 spec->value ? spec->value : "");
        table_add(&t, STYLE_BOLD, name);
        table_add(&t, STYLE_PLAIN, spec->help);
    }
    table_print(&t, term);
    table_finish(&t);
}

void command_write_help(const struct command *c, const struct term *term)
{
    fprintf(term->out, "djamms %s%s%s - %s\n", c->name, *c->args ? " " : "", c->args, c->brief);
    if (c->help)
        fprintf(term->out, "\n%s", c->help);
    fputs("\nOptions\n", term->out);
    write_options(c->options | ARG_COMMON, term);
}

void command_write_overview(const struct term *term)
{
    struct table t;
    table_init(&t, 2, 1);
    t.indent = 2;
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        char name[96];
        snprintf(name, sizeof(name), "%s %s", commands[i].name, commands[i].args);
        table_add(&t, STYLE_BOLD, name);
        table_add(&t, STYLE_PLAIN, commands[i].brief);
    }
    fputs("djamms - a jukebox that plays music videos on every screen\n\n"
          "Usage: djamms COMMAND [options]\n\n",
          term->out);
    table_print(&t, term);
    table_finish(&t);
    fputs("\n`djamms help COMMAND` tells more; `djamms --version` the version.\n"
          "Exit status: 0 done, 1 failed, 2 wrong usage, 3 the jukebox is not running.\n",
          term->out);
}

int help_run(struct cli *cli)
{
    if (cli->args.count == 0) {
        command_write_overview(&cli->term);
        return CLI_OK;
    }
    const struct command *c = command_find(cli->args.word[0]);
    if (!c)
        return cli_usage(cli, "there is no command %.60s", cli->args.word[0]);
    command_write_help(c, &cli->term);
    return CLI_OK;
}
