-- The two owners, which all databases of a server share.
do $$
declare
	name text;
begin
	foreach name in array '{adopt_test_dev,adopt_test_clapp}'::text[] loop
		begin
			execute format('create role %I login password %L', name, 'adopt-test');
		exception when duplicate_object or unique_violation then null; -- another test was faster
		end;
	end loop;
end $$;
