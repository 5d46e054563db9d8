#compdef djamms
# zsh completion of djamms; written by `djamms completion zsh`
local -a commands=(
    'play:play files here and now, without a jukebox'
    'up:start the jukebox in this terminal'
    'status:what plays, what follows, screens and processes'
    'queue:all entries of the queue'
    'add:add files, folders, known tracks or addresses to the queue'
    'search:find songs of the library, best first'
    'skip:go on to the next track'
    'pause:pause'
    'resume:go on after a pause'
    'seek:go to a position, or by so much'
    'volume:show or set the volume, 0 to 100'
    'mute:mute, or the other way round'
    'subtitles:show the subtitles or lyrics that a song has, or not'
    'remove:take an entry out of the queue'
    'move:move an entry within its list'
    'promote:let an entry be the next of its list'
    'play-now:cut to an entry at once'
    'shuffle:mix the main list'
    'clear:empty a list (main unless named)'
    'history:what was played, in local time'
    'screenshot:write what a screen shows as a PNG file'
    'metrics:the figures of the jukebox for Prometheus'
    'doctor:check this machine and say what to do'
    'logs:what the jukebox that systemd runs has written to its log'
    'config:check, explain or show the settings'
    'cache:fetched media on this disk'
    'extractor:yt-dlp, kept up to date over a channel of its own'
    'hub:accounts and data of the hub, the backend of this house'
    'pair:sign this box in to the venue'\''s server'
    'completion:print the completion script of a shell'
    'help:show help'
)
local -a settings=(log.level= library.paths= library.removable= cache.dir= cache.size= cache.free-floor= fetch.profile= fetch.max-minutes= fetch.max-mb= fetch.live-minutes= fetch.extractors= fetch.yt-dlp= fetch.js-runtime= extractor.channel= extractor.check-hours= extractor.key-file= extractor.test-items= youtube.enabled= youtube.fetch-solver= youtube.player-client= youtube.cookies= queue.loop= queue.autostart= queue.exit-at-end= display.driver= display.renderer= display.fullscreen= display.size= display.mode= display.outputs= display.overlay= subtitles.show= subtitles.languages= sound.driver= sound.device= sound.wav-file= sound.volume= sound.delay-ms= decode.threads= decode.deinterlace= decode.hardware= backend.kind= backend.endpoint= backend.project= backend.database= backend.venue= backend.registry= backend.ca-file= hub.enabled= hub.listen= hub.port= hub.data= hub.project= hub.database= hub.venue= hub.certificate= hub.key= hub.origins= hub.encode-arrays= metrics.file=)
if (( CURRENT == 2 )); then
    _describe command commands
    _arguments '--help[show help]' '--version[show the version]'
    return
fi
local command=$words[2]
shift words
(( CURRENT-- ))
case $command in
    play)
        _arguments \
            '--help[show help]' \
            '--window[in a window]' \
            '--fullscreen[fill the screen]' \
            '--size[in a window of this size]:WxH' \
            '--outputs[so many windows]:N' \
            '--loop[begin again at the end]' \
            '--config[read this settings file]:FILE:_files' \
            '*--set[one setting, as section.key=value; may be repeated]:KEY=VALUE:{compadd -S "" -a settings}' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' \
            '*:file:_files' ;;
    up)
        _arguments \
            '--help[show help]' \
            '--window[in a window]' \
            '--fullscreen[fill the screen]' \
            '--size[in a window of this size]:WxH' \
            '--outputs[so many windows]:N' \
            '--config[read this settings file]:FILE:_files' \
            '*--set[one setting, as section.key=value; may be repeated]:KEY=VALUE:{compadd -S "" -a settings}' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' \
            '--state-dir[folder of the kept queue and history]:DIR:_files -/' \
            '*:file:_files' ;;
    status)
        _arguments \
            '--help[show help]' \
            '--json[one JSON object for programs]' \
            '--watch[go on and show every change]' \
            '--latency[how long changes take from one place to the next]' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' ;;
    queue)
        _arguments \
            '--help[show help]' \
            '--json[one JSON object for programs]' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' ;;
    add)
        _arguments \
            '--help[show help]' \
            '--json[one JSON object for programs]' \
            '--next[play it next instead of last]' \
            '--request[as a request of this guest]:NAME' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' \
            '*:file:_files' ;;
    search)
        _arguments \
            '--help[show help]' \
            '--json[one JSON object for programs]' \
            '--limit[so many at most]:N' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' ;;
    skip)
        _arguments \
            '--help[show help]' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' ;;
    pause)
        _arguments \
            '--help[show help]' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' ;;
    resume)
        _arguments \
            '--help[show help]' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' ;;
    seek)
        _arguments \
            '--help[show help]' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' ;;
    volume)
        _arguments \
            '--help[show help]' \
            '--json[one JSON object for programs]' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' ;;
    mute)
        _arguments \
            '--help[show help]' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' \
            '1:word:(on off)' ;;
    subtitles)
        _arguments \
            '--help[show help]' \
            '--json[one JSON object for programs]' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' \
            '1:word:(on off status)' ;;
    remove)
        _arguments \
            '--help[show help]' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' ;;
    move)
        _arguments \
            '--help[show help]' \
            '--json[one JSON object for programs]' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' ;;
    promote)
        _arguments \
            '--help[show help]' \
            '--json[one JSON object for programs]' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' ;;
    play-now)
        _arguments \
            '--help[show help]' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' ;;
    shuffle)
        _arguments \
            '--help[show help]' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' ;;
    clear)
        _arguments \
            '--help[show help]' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' \
            '1:word:(main requests all)' ;;
    history)
        _arguments \
            '--help[show help]' \
            '--json[one JSON object for programs]' \
            '--limit[so many at most]:N' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' ;;
    screenshot)
        _arguments \
            '--help[show help]' \
            '--output[of this output (see `djamms status`)]:NAME' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' \
            '*:file:_files' ;;
    metrics)
        _arguments \
            '--help[show help]' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' ;;
    doctor)
        _arguments \
            '--help[show help]' \
            '--json[one JSON object for programs]' \
            '--config[read this settings file]:FILE:_files' \
            '*--set[one setting, as section.key=value; may be repeated]:KEY=VALUE:{compadd -S "" -a settings}' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' \
            '--state-dir[folder of the kept queue and history]:DIR:_files -/' ;;
    logs)
        _arguments \
            '--help[show help]' \
            '--json[one JSON object for programs]' \
            '--limit[so many at most]:N' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' \
            '--follow[go on and show what is written]' \
            '--since[from then on\: "14\:30", "yesterday", "1 hour ago"]:TIME' \
            '--summary[what the last 24 hours were like]' \
            '*:file:_files' ;;
    config)
        _arguments \
            '--help[show help]' \
            '--json[one JSON object for programs]' \
            '--config[read this settings file]:FILE:_files' \
            '*--set[one setting, as section.key=value; may be repeated]:KEY=VALUE:{compadd -S "" -a settings}' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' \
            '1:word:(check example show)' \
            '*:file:_files' ;;
    cache)
        _arguments \
            '--help[show help]' \
            '--json[one JSON object for programs]' \
            '--config[read this settings file]:FILE:_files' \
            '*--set[one setting, as section.key=value; may be repeated]:KEY=VALUE:{compadd -S "" -a settings}' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' \
            '--deep[read and compare every byte]' \
            '--to[down to so much\: 500M, 20G; a plain number is MB]:SIZE' \
            '1:word:(list pin unpin verify prune)' ;;
    extractor)
        _arguments \
            '--help[show help]' \
            '--json[one JSON object for programs]' \
            '--config[read this settings file]:FILE:_files' \
            '*--set[one setting, as section.key=value; may be repeated]:KEY=VALUE:{compadd -S "" -a settings}' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' \
            '--state-dir[folder of the kept queue and history]:DIR:_files -/' \
            '1:word:(status update rollback)' ;;
    hub)
        _arguments \
            '--help[show help]' \
            '--json[one JSON object for programs]' \
            '--config[read this settings file]:FILE:_files' \
            '*--set[one setting, as section.key=value; may be repeated]:KEY=VALUE:{compadd -S "" -a settings}' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' \
            '--state-dir[folder of the kept queue and history]:DIR:_files -/' \
            '--data[folder of the hub'\''s database]:DIR:_files -/' \
            '--role[owner, staff or guest]:ROLE' \
            '--password-file[read the password from this file; - is standard input]:FILE:_files' \
            '--endpoint[address of another server, with /v1 at its end]:URL' \
            '--project[project id there]:ID' \
            '--database[database id there]:ID' \
            '--venue[only what belongs to this venue]:ID' \
            '--key-file[read an API key from this file; - is standard input]:FILE:_files' \
            '1:word:(user key token claim backup restore import)' \
            '*:file:_files' ;;
    pair)
        _arguments \
            '--help[show help]' \
            '--config[read this settings file]:FILE:_files' \
            '*--set[one setting, as section.key=value; may be repeated]:KEY=VALUE:{compadd -S "" -a settings}' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' \
            '--state-dir[folder of the kept queue and history]:DIR:_files -/' \
            '--password-file[read the password from this file; - is standard input]:FILE:_files' \
            '--token[this token; the list of processes shows it to others]:USERID:SECRET' \
            '--token-file[read the token from this file; - is standard input]:FILE:_files' ;;
    completion)
        _arguments \
            '--help[show help]' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' \
            '1:word:(bash zsh)' ;;
    help)
        _arguments \
            '--help[show help]' \
            '--runtime-dir[folder of the running jukebox]:DIR:_files -/' ;;
esac
