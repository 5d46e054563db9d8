# bash completion of djamms; written by `djamms completion bash`
_djamms()
{
    local word=${COMP_WORDS[COMP_CWORD]} command= options= choices= files= words=0 i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        =|--request|-r|--output|-o|--limit|-l|--size|--outputs|--config|-c|--set|-s|--runtime-dir|--state-dir|--data|--role|--password-file|--endpoint|--project|--database|--venue|--key-file|--to|--token|--token-file|--since) ((i++)) ;; # its value
        -*) ;;
        *) if [[ $command ]]; then ((words++)); else command=${COMP_WORDS[i]}; fi ;;
        esac
    done
    case ${COMP_WORDS[COMP_CWORD - 1]} in
    --set|-s)
        compopt -o nospace
        mapfile -t COMPREPLY < <(compgen -W 'log.level= library.paths= library.removable= cache.dir= cache.size= cache.free-floor= fetch.profile= fetch.max-minutes= fetch.max-mb= fetch.live-minutes= fetch.extractors= fetch.yt-dlp= fetch.js-runtime= extractor.channel= extractor.check-hours= extractor.key-file= extractor.test-items= youtube.enabled= youtube.fetch-solver= youtube.player-client= youtube.cookies= queue.loop= queue.autostart= queue.exit-at-end= display.driver= display.renderer= display.fullscreen= display.size= display.mode= display.outputs= display.overlay= subtitles.show= subtitles.languages= sound.driver= sound.device= sound.wav-file= sound.volume= sound.delay-ms= decode.threads= decode.deinterlace= decode.hardware= backend.kind= backend.endpoint= backend.project= backend.database= backend.venue= backend.registry= backend.ca-file= hub.enabled= hub.listen= hub.port= hub.data= hub.project= hub.database= hub.venue= hub.certificate= hub.key= hub.origins= hub.encode-arrays= metrics.file=' -- "$word")
        return ;;
    --config|-c|--password-file|--key-file|--token-file)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return ;;
    --runtime-dir|--state-dir|--data)
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -d -- "$word")
        return ;;
    =|--request|-r|--output|-o|--limit|-l|--size|--outputs|--config|-c|--set|-s|--runtime-dir|--state-dir|--data|--role|--password-file|--endpoint|--project|--database|--venue|--key-file|--to|--token|--token-file|--since) return ;;
    esac
    case $command in
    play)
        options='--help --window --fullscreen --size --outputs --loop --config --set --runtime-dir'
        files=yes ;;
    up)
        options='--help --window --fullscreen --size --outputs --config --set --runtime-dir --state-dir'
        files=yes ;;
    status)
        options='--help --json --watch --latency --runtime-dir' ;;
    queue)
        options='--help --json --runtime-dir' ;;
    add)
        options='--help --json --next --request --runtime-dir'
        files=yes ;;
    search)
        options='--help --json --limit --runtime-dir' ;;
    skip)
        options='--help --runtime-dir' ;;
    pause)
        options='--help --runtime-dir' ;;
    resume)
        options='--help --runtime-dir' ;;
    seek)
        options='--help --runtime-dir' ;;
    volume)
        options='--help --json --runtime-dir' ;;
    mute)
        options='--help --runtime-dir'
        choices='on off' ;;
    subtitles)
        options='--help --json --runtime-dir'
        choices='on off status' ;;
    remove)
        options='--help --runtime-dir' ;;
    move)
        options='--help --json --runtime-dir' ;;
    promote)
        options='--help --json --runtime-dir' ;;
    play-now)
        options='--help --runtime-dir' ;;
    shuffle)
        options='--help --runtime-dir' ;;
    clear)
        options='--help --runtime-dir'
        choices='main requests all' ;;
    history)
        options='--help --json --limit --runtime-dir' ;;
    screenshot)
        options='--help --output --runtime-dir'
        files=yes ;;
    metrics)
        options='--help --runtime-dir' ;;
    doctor)
        options='--help --json --config --set --runtime-dir --state-dir' ;;
    logs)
        options='--help --json --limit --runtime-dir --follow --since --summary'
        files=yes ;;
    config)
        options='--help --json --config --set --runtime-dir'
        choices='check example show'
        files=yes ;;
    cache)
        options='--help --json --config --set --runtime-dir --deep --to'
        choices='list pin unpin verify prune' ;;
    extractor)
        options='--help --json --config --set --runtime-dir --state-dir'
        choices='status update rollback' ;;
    hub)
        options='--help --json --config --set --runtime-dir --state-dir --data --role --password-file --endpoint --project --database --venue --key-file'
        choices='user key token claim backup restore import'
        files=yes ;;
    pair)
        options='--help --config --set --runtime-dir --state-dir --password-file --token --token-file' ;;
    completion)
        options='--help --runtime-dir'
        choices='bash zsh' ;;
    help)
        options='--help --runtime-dir'
        choices='play up status queue add search skip pause resume seek volume mute subtitles remove move promote play-now shuffle clear history screenshot metrics doctor logs config cache extractor hub pair completion help' ;;
    '')
        options='--help --version'
        choices='play up status queue add search skip pause resume seek volume mute subtitles remove move promote play-now shuffle clear history screenshot metrics doctor logs config cache extractor hub pair completion help' ;;
    esac
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
    elif [[ $choices ]] && ((words == 0)); then
        mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
    elif [[ $files ]]; then
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
}
complete -F _djamms djamms
