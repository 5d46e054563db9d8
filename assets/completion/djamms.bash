# bash completion of djamms; written by `djamms completion bash`
_djamms()
{
    local word=${COMP_WORDS[COMP_CWORD]} command= options= choices= files= i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} == -* ]] || { command=${COMP_WORDS[i]}; break; }
    done
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
        options='--help --json --next --request --config --set --runtime-dir'
        files=yes ;;
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
    doctor)
        options='--help --json --config --set --runtime-dir --state-dir' ;;
    config)
        options='--help --json --config --set --runtime-dir'
        choices='check example show'
        files=yes ;;
    hub)
        options='--help --json --config --set --runtime-dir --state-dir --data --role --password-file --endpoint --project --database --venue --key-file'
        choices='user key claim backup restore import'
        files=yes ;;
    pair)
        options='--help --config --set --runtime-dir --state-dir --password-file' ;;
    completion)
        options='--help --runtime-dir'
        choices='bash zsh' ;;
    help)
        options='--help --runtime-dir'
        choices='play up status queue add skip pause resume seek volume mute remove move promote play-now shuffle clear history screenshot doctor config hub pair completion help' ;;
    '')
        options='--help --version'
        choices='play up status queue add skip pause resume seek volume mute remove move promote play-now shuffle clear history screenshot doctor config hub pair completion help' ;;
    esac
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
    else
        mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
        if [[ $files ]]; then
            compopt -o filenames
            mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$word")
        fi
    fi
}
complete -F _djamms djamms
