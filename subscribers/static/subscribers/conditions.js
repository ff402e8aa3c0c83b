// The conditions of a segment. Wagtail's menu offers every block, also one of which there may be none.
(() => {
  const { StreamBlockDefinition } = window.wagtailStreamField.blocks;

  class ConditionsDefinition extends StreamBlockDefinition {
    constructor(name, groups, states, meta) {
      super(name, groups, states, meta);
      const isOffered = (def) => meta.blockCounts[def.name]?.max_num !== 0;
      this.groupedChildBlockDefs = groups.map(([label, defs]) => [label, defs.filter(isOffered)]);
    }
  }

  window.telepath.register('subscribers.Conditions', ConditionsDefinition);
})();
