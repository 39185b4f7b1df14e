# Completion of the `wyvern` command for bash.
_wyvern() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} i
  local commands="run"
  local options=(--help)

  if ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W "$commands --help --version" -- "$word")
    return
  fi
  case ${COMP_WORDS[1]} in
    run)
      options+=(--nodes --provider --memory --timeout --label)
      # From the program on the words are the program's: a word that is neither an option nor an option's value.
      for ((i = 2; i < COMP_CWORD; ++i)); do
        case ${COMP_WORDS[i]} in
          --nodes | --provider | --memory | --timeout) ((++i)) ;;
          --) ((++i)); break ;;
          -*) ;;
          *) break ;;
        esac
      done
      if ((i < COMP_CWORD)); then
        if declare -F _command_offset >/dev/null; then
          _command_offset "$i"
        else
          mapfile -t COMPREPLY < <(compgen -f -- "$word")
        fi
        return
      fi
      ;;
    *) options=() ;;
  esac
  case $before in
    --provider)
      mapfile -t COMPREPLY < <(compgen -W "tcp net shm verbs cxi efa psm3 opx" -- "$word")
      ;;
    --nodes | --memory | --timeout) ;;
    *)
      if [[ $word == -* && ${COMP_WORDS[COMP_CWORD - 1]} != -- ]]; then
        mapfile -t COMPREPLY < <(compgen -W "${options[*]}" -- "$word")
      elif [[ ${COMP_WORDS[1]} == run ]]; then
        mapfile -t COMPREPLY < <(compgen -c -- "$word"; compgen -f -- "$word")
      fi
      ;;
  esac
}
complete -o filenames -F _wyvern wyvern
