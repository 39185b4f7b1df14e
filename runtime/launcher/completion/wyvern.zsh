#compdef wyvern
# Completion of the `wyvern` command for zsh.

_wyvern() {
  local -a commands=(
    'run:run a program as the head process of a job'
    'info:say what Wyvern finds on this machine, and what it would choose'
    'doctor:check this machine for what usually goes wrong')
  local -a shared=(
    '--help[what there is]'
    '--provider[by which nodes reach each other]:provider:(tcp net shm verbs cxi efa psm3 opx)'
    '--memory[shared memory that the job may use]:size, for example 512M')

  if ((CURRENT == 2)); then
    _describe command commands
    _arguments '--help[what there is]' '--version[which version this is]'
    return
  fi
  shift words
  ((CURRENT--))
  case $words[1] in
    run)
      _arguments -A '-*' $shared \
        '--nodes[nodes on this machine]:number from 1 to 64' \
        '--timeout[end the job after that time]:time, for example 90 or 10m' \
        '--label[put the puid before every line of output]' \
        '(-)1:program:_command_names -e' \
        '*::arguments:_normal'
      ;;
    info)
      _arguments $shared '--json[print JSON]'
      ;;
    doctor)
      _arguments $shared '--json[print JSON]' '--hosts[other hosts that are to be reached]:hosts:_sequence _hosts'
      ;;
  esac
}

_wyvern "$@"
