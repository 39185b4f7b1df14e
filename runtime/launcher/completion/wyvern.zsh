#compdef wyvern
# Completion of the `wyvern` command for zsh.

_wyvern() {
  local -a commands=(
    'run:run a program as the head process of a job')
  local -a provider=('--provider[by which nodes reach each other]:provider:(tcp net shm verbs cxi efa psm3 opx)')
  local -a memory=('--memory[shared memory that the job may use]:size, for example 512M')

  if ((CURRENT == 2)); then
    _describe command commands
    _arguments '--help[what there is]' '--version[which version this is]'
    return
  fi
  shift words
  ((CURRENT--))
  case $words[1] in
    run)
      _arguments -A '-*' \
        '--help[what there is]' \
        '--nodes[nodes on this machine]:number from 1 to 64' \
        $provider $memory \
        '--timeout[end the job after that time]:time, for example 90 or 10m' \
        '--label[put the puid before every line of output]' \
        '(-)1:program:_command_names -e' \
        '*::arguments:_normal'
      ;;
  esac
}

_wyvern "$@"
