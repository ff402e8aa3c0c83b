// The block in the editor: the form as the server renders it, and the choice of its list.
(({ blocks, element, blockEditor, components, serverSideRender }) => {
  const { createElement: make, Fragment } = element;
  const { lists, failure, texts } = window.newsletterSignup;
  const edit = ({ attributes, setAttributes }) =>
    make(
      Fragment,
      null,
      make(
        blockEditor.InspectorControls,
        null,
        make(
          components.PanelBody,
          { title: texts.settings },
          failure && make(components.Notice, { status: "warning", isDismissible: false }, failure),
          make(components.SelectControl, {
            label: texts.list,
            value: attributes.list,
            options: [{ value: "", label: texts.default }, ...lists],
            onChange: (list) => setAttributes({ list }),
          }),
          make(components.ToggleControl, {
            label: texts.showTitle,
            checked: attributes.showTitle,
            onChange: (showTitle) => setAttributes({ showTitle }),
          }),
        ),
      ),
      make(
        "div",
        blockEditor.useBlockProps(),
        make(
          components.Disabled,
          null,
          make(serverSideRender, { block: "newsletter/sign-up", attributes: { list: attributes.list, showTitle: attributes.showTitle } }),
        ),
      ),
    );
  blocks.registerBlockType("newsletter/sign-up", { title: texts.title, edit, save: () => null });
})(window.wp);
