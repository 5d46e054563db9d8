#include "cli/completion.h"

#include <stdbool.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/command.h"
#include "cli/commands.h"
#include "config/option.h"

static bool takes_files(const struct command *c)
{
    return strstr(c->args, "FILE") != NULL;
}

/* A set of ARG_BIT()s: options with this value; NULL: with any. */
static uint64_t options_with_value(const char *value)
{
    uint64_t set = 0;
    for (int i = 0; i < ARG_OPTIONS; i++) {
        const char *own = arg_spec((enum arg_option)i)->value;
        if (own && (!value || strcmp(own, value) == 0))
            set |= ARG_BIT(i);
    }
    return set;
}

/* "--config|-c|--set|-s", as a pattern of `case`. */
static void write_pattern(FILE *out, uint64_t options)
{
    const char *bar = "";
    for (int i = 0; i < ARG_OPTIONS; i++) {
        if (!(options & ARG_BIT(i)))
            continue;
        const struct arg_spec *spec = arg_spec((enum arg_option)i);
        fprintf(out, "%s--%s", bar, spec->name);
        if (spec->letter)
            fprintf(out, "|-%c", spec->letter);
        bar = "|";
    }
}

/* "section.key=" of each, blank between. */
static void write_settings(FILE *out)
{
    for (size_t i = 0; i < option_count(); i++)
        fprintf(out, "%s%s=", i ? " " : "", option_at(i)->name);
}

static void write_option_words(FILE *out, uint64_t options)
{
    const char *blank = "";
    for (int i = 0; i < ARG_OPTIONS; i++) {
        if (!((options | ARG_COMMON) & ARG_BIT(i)))
            continue;
        fprintf(out, "%s--%s", blank, arg_spec((enum arg_option)i)->name);
        blank = " ";
    }
}

static void write_names(FILE *out)
{
    fputs("\n        choices='", out);
    for (size_t i = 0; i < command_count(); i++)
        fprintf(out, "%s%s", i ? " " : "", command_at(i)->name);
    fputc('\'', out);
}

/* What may follow an option that has a value; then it is done. */
static void write_bash_values(FILE *out)
{
    fputs("    case ${COMP_WORDS[COMP_CWORD - 1]} in\n    ", out);
    write_pattern(out, ARG_BIT(ARG_SET));
    fputs(")\n        compopt -o nospace\n"
          "        mapfile -t COMPREPLY < <(compgen -W '",
          out);
    write_settings(out);
    fputs("' -- \"$word\")\n        return ;;\n    ", out);
    write_pattern(out, options_with_value("FILE"));
    fputs(")\n        compopt -o filenames\n"
          "        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n        return ;;\n    ",
          out);
    write_pattern(out, options_with_value("DIR"));
    fputs(")\n        compopt -o filenames\n"
          "        mapfile -t COMPREPLY < <(compgen -d -- \"$word\")\n        return ;;\n    =|",
          out);
    write_pattern(out, options_with_value(NULL));
    fputs(") return ;;\n    esac\n", out);
}

void completion_write_bash(FILE *out)
{
    fputs("# bash completion of djamms; written by `djamms completion bash`\n"
          "_djamms()\n{\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} command= options= choices= files= words=0 i\n"
          "    COMPREPLY=()\n"
          "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "        case ${COMP_WORDS[i]} in\n"
          "        =|",
          out);
    write_pattern(out, options_with_value(NULL));
    fputs(") ((i++)) ;; # its value\n"
          "        -*) ;;\n"
          "        *) if [[ $command ]]; then ((words++)); else command=${COMP_WORDS[i]}; fi ;;\n"
          "        esac\n"
          "    done\n",
          out);
    write_bash_values(out);
    fputs("    case $command in\n", out);
    for (size_t i = 0; i < command_count(); i++) {
        const struct command *c = command_at(i);
        fprintf(out, "    %s)\n        options='", c->name);
        write_option_words(out, c->options);
        fputs("'", out);
        if (c->choices)
            fprintf(out, "\n        choices='%s'", c->choices);
        if (takes_files(c))
            fputs("\n        files=yes", out);
        if (c->run == help_run)
            write_names(out);
        fputs(" ;;\n", out);
    }
    fputs("    '')\n        options='--help --version'", out);
    write_names(out);
    fputs(" ;;\n    esac\n"
          "    if [[ $word == -* ]]; then\n"
          "        mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\")\n"
          "    elif [[ $choices ]] && ((words == 0)); then\n"
          "        mapfile -t COMPREPLY < <(compgen -W \"$choices\" -- \"$word\")\n"
          "    elif [[ $files ]]; then\n"
          "        compopt -o filenames\n"
          "        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
          "    fi\n"
          "}\n"
          "complete -F _djamms djamms\n",
          out);
}

/* Text within single quotes of a zsh description. */
static void write_zsh_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", out);
        else if (*text == '[' || *text == ']' || *text == ':')
            fprintf(out, "\\%c", *text);
        else
            fputc(*text, out);
    }
}

static const char *zsh_action(const char *value)
{
    return !value                       ? ""
           : strcmp(value, "FILE") == 0 ? ":_files"
           : strcmp(value, "DIR") == 0  ? ":_files -/"
                                        : "";
}

static void write_zsh_options(FILE *out, uint64_t options)
{
    for (int i = 0; i < ARG_OPTIONS; i++) {
        if (!((options | ARG_COMMON) & ARG_BIT(i)))
            continue;
        const struct arg_spec *spec = arg_spec((enum arg_option)i);
        fprintf(out, " \\\n            '%s--%s[", i == ARG_SET ? "*" : "", spec->name);
        write_zsh_text(out, spec->help);
        fprintf(out, "]%s%s%s'", spec->value ? ":" : "", spec->value ? spec->value : "",
                i == ARG_SET ? ":{compadd -S \"\" -a settings}" : zsh_action(spec->value));
    }
}

void completion_write_zsh(FILE *out)
{
    fputs("#compdef djamms\n# zsh completion of djamms; written by `djamms completion zsh`\n"
          "local -a commands=(\n",
          out);
    for (size_t i = 0; i < command_count(); i++) {
        fprintf(out, "    '%s:", command_at(i)->name);
        write_zsh_text(out, command_at(i)->brief);
        fputs("'\n", out);
    }
    fputs(")\nlocal -a settings=(", out);
    write_settings(out);
    fputs(")\nif (( CURRENT == 2 )); then\n    _describe command commands\n"
          "    _arguments '--help[show help]' '--version[show the version]'\n    return\nfi\n"
          "local command=$words[2]\nshift words\n(( CURRENT-- ))\ncase $command in\n",
          out);
    for (size_t i = 0; i < command_count(); i++) {
        const struct command *c = command_at(i);
        fprintf(out, "    %s)\n        _arguments", c->name);
        write_zsh_options(out, c->options);
        if (c->choices)
            fprintf(out, " \\\n            '1:word:(%s)'", c->choices);
        if (takes_files(c))
            fputs(" \\\n            '*:file:_files'", out);
        fputs(" ;;\n", out);
    }
    fputs("esac\n", out);
}

int completion_run(struct cli *cli)
{
    const char *shell = cli->args.word[0];
    if (strcmp(shell, "bash") == 0)
        completion_write_bash(cli->out);
    else if (strcmp(shell, "zsh") == 0)
        completion_write_zsh(cli->out);
    else
        return cli_usage(cli, "completion: \"%.60s\" is neither bash nor zsh", shell);
    return CLI_OK;
}
