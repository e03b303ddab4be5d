-- The list of work orders by due date and newest first (numbers are unique, so they have an index): one walk along an index each.

create index work_order_by_due on workorders.work_order ((coalesce(due, 'infinity'::date)), seq);
create index work_order_newest on workorders.work_order ((-seq));
