-- The list of work orders, most urgent first: what is done no longer presses, whatever its priority was.

drop index workorders.work_order_list;
create index work_order_list on workorders.work_order
  ((status in ('completed', 'closed', 'cancelled')), (-priority), (coalesce(due, 'infinity'::date)), seq);
