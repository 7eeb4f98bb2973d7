#!/bin/sh
# Writes completions for bash, zsh and fish from the flags of the manual page, which a test holds to the table
# of flags: completions.sh MANUAL SHARE
set -eu
manual=$1 share=$2

# NAME KIND HELP, separated by tabs; a switch has a twin, --no-NAME.
flags() {
	awk '
	/^\.It Fl / {
		kind = "value"
		name = $3
		if (name == "h") name = "-help"
		if (name ~ /^-\[no-\]/) { kind = "switch"; sub(/^-\[no-\]/, "-", name) }
		else if ($0 !~ /Ar/ || /Op/) kind = "plain"
		sub(/^-/, "", name)
		getline help
		sub(/ *[.;,:(].*/, "", help)
		# Only what needs no quotes in any of the three.
		gsub(/[^A-Za-z0-9 -]/, "", help)
		print name "\t" kind "\t" help
	}' "$manual"
}
names() {
	flags | while IFS='	' read -r name kind _; do
		echo "--$name"
		[ "$kind" != switch ] || echo "--no-$name"
	done
}
write() {
	mkdir -p "${1%/*}"
	cat >"$1"
	chmod 0644 "$1"
}

write "$share/bash-completion/completions/haproxy_exporter" <<END
# Completes the flags of haproxy_exporter; files after = and as other arguments.
_haproxy_exporter() {
	local word=\${COMP_WORDS[COMP_CWORD]} flags='$(names | tr '\n' ' ')'
	case \$word in
	-*) mapfile -t COMPREPLY < <(compgen -W "\$flags" -- "\$word") ;;
	=) mapfile -t COMPREPLY < <(compgen -f) ;;
	*) mapfile -t COMPREPLY < <(compgen -f -- "\$word") ;;
	esac
}
complete -F _haproxy_exporter haproxy_exporter
END

{
	echo '#compdef haproxy_exporter'
	echo '_arguments \'
	flags | while IFS='	' read -r name kind help; do
		case $kind in
		value) echo "  '*--$name=[$help]:value:_files' \\" ;;
		switch) printf '%s\n' "  '--$name[$help]' \\" "  '--no-$name[Not so: $help]' \\" ;;
		plain) echo "  '--$name[$help]' \\" ;;
		esac
	done
	echo "  '*:arguments in a file:_files'"
} | write "$share/zsh/site-functions/_haproxy_exporter"

flags | while IFS='	' read -r name kind help; do
	case $kind in
	value) echo "complete -c haproxy_exporter -l $name -r -d '$help'" ;;
	switch) printf '%s\n' "complete -c haproxy_exporter -l $name -d '$help'" "complete -c haproxy_exporter -l no-$name" ;;
	plain) echo "complete -c haproxy_exporter -l $name -d '$help'" ;;
	esac
done | write "$share/fish/vendor_completions.d/haproxy_exporter.fish"
