# sipctl.bash - completion for bash: the words that the running sipd and its modules have declared, as sipctl help lists them.

# The next word of every pattern on standard input that begins with the words given.
_sipctl_next()
{
    local pattern token i
    local -a tokens
    while read -r pattern; do
        read -ra tokens <<<"$pattern"
        for ((i = 0; i < ${#tokens[@]}; i++)); do
            token=${tokens[i]}
            # [--option] and [word <x>] are words that may be left out; <x> and [x] stand for anything.
            case $token in
            '[--'*']') token=${token#[} token=${token%]} ;;
            '['*']' | '<'*) token= ;;
            '['*) token=${token#[} ;;
            esac
            # compgen would expand what it is given.
            case $token in *[!a-zA-Z0-9_-]*) token= ;; esac
            if [ "$i" -eq $# ]; then
                [ -z "$token" ] || echo "$token"
                break
            fi
            [ -z "$token" ] || [ "$token" = "${*:i+1:1}" ] || break
        done
    done
}

_sipctl()
{
    local line=${COMP_LINE:0:COMP_POINT} current word i
    local -a words typed=() socket=()
    # Not COMP_WORDS: there sip:bob@example.com is five words.
    read -ra words <<<"$line"
    [ "$line" = "${line%[[:blank:]]}" ] || words+=('')
    current=${words[-1]}
    for ((i = 1; i < ${#words[@]} - 1; i++)); do
        word=${words[i]}
        case $word in
        -s) socket=(-s "${words[i + 1]}") && ((i++)) ;;
        --pcap) ((i++)) ;;
        --json) ;;
        *) typed+=("$word") ;;
        esac
    done
    case ${words[-2]} in
    -s | --pcap) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
    esac
    # A line is the pattern, and behind two blanks what it is for. trace asks for more than its one word says.
    mapfile -t COMPREPLY < <(compgen -W "$(
        { "${words[0]}" "${socket[@]}" help 2>/dev/null | sed -e 1d -e 's/   *.*//' -e '/^trace /d'
          printf '%s\n' 'trace all' 'trace user <user>' 'trace call <call-id>'
        } | _sipctl_next "${typed[@]}" | sort -u
        [ ${#typed[@]} -gt 0 ] || echo '-s --json --version --help'
    )" -- "$current")
}

complete -F _sipctl sipctl
