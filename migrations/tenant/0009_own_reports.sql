-- The newest reports of one account, for the line on the floor that says what the ERP did with them: one walk along an index.

create index report_mine on workorders.report (reported_by, seq);
