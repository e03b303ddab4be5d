-- What was reported within some days: one walk along an index. Replacements are found from the report they stand for.

create index report_reported_at on workorders.report (at) where kind = 'report';
