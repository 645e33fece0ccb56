package doctor

// transport is the family TLS: how people and programs get in.
func transport() []Check {
	return []Check{
		query{Info{ID: "TLS-01", Title: "Sessions from other machines are not encrypted", Severity: High, Safety: Advice, needs: "pg_read_all_stats",
			Cause:  "the server has no certificate, or the client does not ask for TLS",
			Breaks: "passwords' proofs and all rows can be read and changed on the way",
			Advice: "give the server a certificate (ssl = on), use hostssl in pg_hba.conf and sslmode=verify-full in the clients"}, `
select format('%s from %s', a.usename, host(a.client_addr)) as object, count(*) || ' sessions without TLS' as evidence
from pg_stat_ssl s join pg_stat_activity a using (pid)
where not s.ssl and a.client_addr is not null and not a.client_addr <<= '127.0.0.0/8' and a.client_addr <> '::1' group by a.usename, a.client_addr
union all
select 'server', 'ssl = off, while it listens on ' || current_setting('listen_addresses') where current_setting('ssl') = 'off'
  and exists (select from regexp_split_to_table(current_setting('listen_addresses'), '\s*,\s*') a where a <> '' and a !~ '^(localhost|127\.[0-9.]+|::1)$') order by 1`},

		query{Info{ID: "TLS-03", Title: "pg_hba.conf lets somebody in without proof", Severity: High, Safety: Advice,
			Cause:  "trust or password was put there to get something to work",
			Breaks: "whoever reaches the port is any user, or sends the password in the clear",
			Advice: "scram-sha-256 instead, and hostssl instead of host"}, `
select 'pg_hba.conf line ' || line_number as object, concat_ws(' ', type, array_to_string(database, ','), array_to_string(user_name, ','), address, auth_method) as evidence,
  case when auth_method = 'trust' and address not in ('127.0.0.1', '::1', 'localhost', 'samehost') then 'high' else 'medium' end as severity
from pg_hba_file_rules where error is null and type like 'host%' and (auth_method = 'trust' or auth_method in ('password', 'ident') and type <> 'hostssl') order by line_number`},

		query{Info{ID: "TLS-04", Title: "Passwords are kept as MD5, or old versions of TLS are allowed", Severity: Medium, Safety: Safe,
			Cause:  "the setting is from an older server",
			Breaks: "a stolen MD5 hash is as good as the password; TLS below 1.2 is broken",
			Advice: "password_encryption = 'scram-sha-256', then set every password again; ssl_min_protocol_version = 'TLSv1.2'"}, `
select name as object, name || ' = ' || setting as evidence, null as skip from pg_settings where name = 'password_encryption' and setting in ('md5', 'on') or name = 'ssl_min_protocol_version' and setting in ('TLSv1', 'TLSv1.1')
order by 1`},
	}
}
