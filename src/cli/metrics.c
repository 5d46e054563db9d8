/* metrics: the figures for a monitoring system. */
#include "base/buf.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "wire/metrics.h"

int metrics_run(struct cli *cli)
{
    struct message *status;
    struct buf text;
    int ret = cli_call(cli, cli_request("status"), &status);
    if (ret != CLI_OK)
        return ret;
    buf_init(&text, METRICS_MAX);
    if (metrics_write(&text, status) < 0)
        ret = cli_fail(cli, CLI_FAILED, "the figures are longer than can be");
    else
        fwrite(text.data, 1, text.len, cli->out);
    buf_finish(&text);
    message_destroy(status);
    return ret;
}
