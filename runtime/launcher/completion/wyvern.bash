# Completion of the `wyvern` command for bash.

# _wyvern_program BEFORE: where PROGRAM stands among the words: what comes after so many that are neither options nor
# values of one.
_wyvern_program() {
  local i before=$1
  for ((i = 2; i < COMP_CWORD; ++i)); do
    case ${COMP_WORDS[i]} in
      --node | --nodes | --provider | --memory | --timeout)
        ((++i))
        if [[ ${COMP_WORDS[i]} == = ]]; then ((++i)); fi  # --nodes=4 is three words
        ;;
      --) break ;;
      -*) ;;
      *)
        if ((before-- == 0)); then
          echo "$i"
          return
        fi
        ;;
    esac
  done
  if [[ ${COMP_WORDS[i]} != -- ]] && ((before > 0)); then  # it comes later
    echo $((COMP_CWORD + 1))
    return
  fi
  if [[ ${COMP_WORDS[i]} == -- ]]; then ((++i)); fi
  echo "$i"
}

# _wyvern_jobs: the numbers of the jobs that run.
_wyvern_jobs() {
  wyvern ps 2>/dev/null | sed -n 's/^job \([0-9]*\):.*/\1/p'
}

_wyvern() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} program words
  if ((COMP_CWORD > 2)); then  # --provider=tcp is three words, --provider= two
    if [[ $word == = ]]; then
      word=
    elif [[ $before == = ]]; then
      before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
  fi
  if ((COMP_CWORD == 1)); then
    words="run join ps top info doctor --help --version"
  elif [[ $before == --provider ]]; then
    words="tcp net shm verbs cxi efa psm3 opx"
  else
    case ${COMP_WORDS[1]} in
      run)
        words="--help --nodes --provider --memory --timeout --label"
        program=$(_wyvern_program 0)
        if ((program < COMP_CWORD)); then  # one of its arguments
          mapfile -t COMPREPLY < <(compgen -f -- "$word")
          return
        fi
        if ((program == COMP_CWORD)) && [[ $before == -- || $word != -* ]]; then
          mapfile -t COMPREPLY < <(compgen -c -- "$word"; compgen -f -- "$word")
          return
        fi
        ;;
      join)
        words="--help --node"
        program=$(_wyvern_program 1)
        if ((program < COMP_CWORD)); then
          mapfile -t COMPREPLY < <(compgen -f -- "$word")
          return
        fi
        if ((program == COMP_CWORD)) && [[ $before == -- || $word != -* ]]; then
          mapfile -t COMPREPLY < <(compgen -c -- "$word"; compgen -f -- "$word")
          return
        fi
        if [[ $word != -* ]]; then words=$(_wyvern_jobs); fi
        ;;
      ps | top)
        words="--help --json"
        if [[ ${COMP_WORDS[1]} == top ]]; then words+=" --once --interval"; fi
        if [[ $word != -* ]]; then words=$(_wyvern_jobs); fi
        ;;
      info) words="--help --provider --memory --json" ;;
      doctor) words="--help --provider --memory --hosts --json" ;;
    esac
    case $before in
      --node | --nodes | --memory | --timeout | --interval) words= ;;
      --hosts)
        mapfile -t COMPREPLY < <(compgen -A hostname -- "$word")
        return
        ;;
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -o filenames -F _wyvern wyvern
